"""All relays together: messages are shared out by weight; where a relay fails, the others take over."""

import asyncio

from publisher.config import Config
from publisher.errors import PublisherError, TransportError
from publisher.transport.messages import Attempt
from publisher.transport.route import Owner, Route


class RelayPool:
    """Whoever has committed an intent gives it to ``push``; its ``Owner`` is told what became of it."""

    def __init__(self, config: Config, owner: Owner) -> None:
        self._routes = [Route(config, relay, owner) for relay in config.smtp.pool]

    @property
    def trouble(self) -> str | None:
        """Why no relay can be used now; None while one can."""
        if not all(route.is_given_up for route in self._routes):
            return None
        return "; ".join(route.trouble for route in self._routes if route.trouble) or "the run has ended"

    @property
    def room(self) -> int:
        """How many more intents may be open."""
        return sum(route.room for route in self._active())

    @property
    def size_limit(self) -> int | None:
        """The largest message that every relay takes, in octets, of those that have said so."""
        return min((route.size_limit for route in self._routes if route.size_limit), default=None)

    async def open(self) -> None:
        """Have a first connection to each relay that answers; TransportError where none does."""
        problems = [one for one in await self._open_all() if one is not None]
        for problem in problems:
            if not isinstance(problem, PublisherError):
                self.abort()
                raise problem
        if len(problems) == len(self._routes):
            raise problems[0] if len(problems) == 1 else TransportError("; ".join(map(str, problems)))

    async def _open_all(self) -> list[BaseException | None]:
        try:
            return await asyncio.gather(*(route.open() for route in self._routes), return_exceptions=True)
        except asyncio.CancelledError:
            self.abort()
            raise

    def share_out(self, count: int) -> list[str]:
        """The relays for the next ``count`` messages, by weight and room; fewer names where there is less room."""
        room = {route.relay.name: route.room for route in self._active()}
        hand = {route.relay.name: route.in_hand for route in self._active()}
        weight = {route.relay.name: max(route.relay.weight, 1) for route in self._active()}
        names: list[str] = []
        while len(names) < count and (free := [name for name, left in room.items() if left]):
            best = min(free, key=lambda name: (hand[name] + 1) / weight[name])
            hand[best] += 1
            room[best] -= 1
            names.append(best)
        return names

    def push(self, attempt: Attempt) -> None:
        """Take charge of a message for its relay; ``go`` starts it."""
        self._route(attempt.relay).push(attempt)

    def limit(self, relay: str, connections: int | None) -> None:
        """How many connections a relay may have, if fewer than configured."""
        self._route(relay).limit(connections)

    def go(self) -> None:
        """Let every connection take what it can."""
        for route in self._routes:
            route.go()

    async def end(self) -> None:
        """Return when everything under way has ended and the connections are closed."""
        for route in self._routes:
            await route.end()

    def abort(self) -> None:
        """End everything at once."""
        for route in self._routes:
            route.abort()

    def _route(self, relay: str) -> Route:
        return next(route for route in self._routes if route.relay.name == relay)

    def _active(self) -> list[Route]:
        """The relays that work; one of weight 0 only where no other does."""
        usable = [route for route in self._routes if route.is_usable]
        return [route for route in usable if route.relay.weight] or usable
