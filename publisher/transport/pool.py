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
        self._opening: set[asyncio.Task[None]] = set()
        """First connections that are not there yet; nothing waits for them."""

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

    @property
    def rest_s(self) -> float | None:
        """Seconds until a relay that rests may get something again; None where none rests."""
        return min((route.rest_s for route in self._routes if route.rest_s), default=None)

    async def open(self) -> None:
        """Have a connection to the relay that answers first; others follow. TransportError where none does."""
        dials = {asyncio.create_task(route.open()) for route in self._routes if route.is_usable}
        if not dials:
            raise TransportError(self.trouble or "no relay can be used now")
        for dial in dials:
            dial.add_done_callback(self._opening.discard)
        self._opening |= dials
        problems = await _first_success(dials)
        if len(problems) == len(dials):
            raise problems[0] if len(problems) == 1 else TransportError("; ".join(map(str, problems)))

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

    def rest(self, relay: str, seconds: float) -> None:
        """Give a relay nothing for so long."""
        self._route(relay).rest(seconds)

    def leave_alone(self, relay: str, seconds: float, reason: str) -> None:
        """Give a relay nothing for so long, and keep no connection to it."""
        self._route(relay).leave_alone(seconds, reason)

    def limit(self, relay: str, connections: int | None) -> None:
        """How many connections a relay may have, if fewer than configured."""
        self._route(relay).limit(connections)

    def go(self) -> None:
        """Let every connection take what it can."""
        for route in self._routes:
            route.go()

    async def end(self) -> None:
        """Return when everything under way has ended and the connections are closed."""
        await self._stop_opening()
        for route in self._routes:
            await route.end()

    def abort(self) -> None:
        """End everything at once."""
        for dial in self._opening:
            dial.cancel()
        for route in self._routes:
            route.abort()

    async def _stop_opening(self) -> None:
        dials = tuple(self._opening)
        for dial in dials:
            dial.cancel()
        await asyncio.gather(*dials, return_exceptions=True)

    def _route(self, relay: str) -> Route:
        return next(route for route in self._routes if route.relay.name == relay)

    def _active(self) -> list[Route]:
        """The relays that work; one of weight 0 only where no other does."""
        usable = [route for route in self._routes if route.is_usable]
        return [route for route in usable if route.relay.weight] or usable


async def _first_success(dials: set[asyncio.Task[None]]) -> list[PublisherError]:
    """Wait until one has succeeded, or all have failed: the failures so far."""
    problems: list[PublisherError] = []
    waiting = dials
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for dial in done:
            try:
                dial.result()
            except PublisherError as error:
                problems.append(error)
        if len(problems) + len(waiting) < len(dials):
            break
    return problems
