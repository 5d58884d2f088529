"""Messages over several connections and relays: who carries what, and what happens when one fails."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from scripted_smtp import (
    GREETING,
    OK,
    PIPELINING,
    PLAIN,
    Client,
    Talk,
    make_attempt,
    make_config,
    run,
    serving,
)

from publisher.config import Config
from publisher.errors import AuthenticationError, TransportError
from publisher.transport.messages import Attempt, Outcome
from publisher.transport.pool import RelayPool
from publisher.transport.route import LOST_MAX


@dataclass
class Post:
    """The owner of a pool: what became of each message, and over which relay."""

    config: Config
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    relays: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    """Relays that refused our password."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.pool = RelayPool(self.config, self)

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        assert attempt.claim not in self.outcomes, f"{attempt.claim} finished twice"
        self.outcomes[attempt.claim] = outcome
        self.relays[attempt.claim] = attempt.relay
        self.news.set()

    async def recheck(self, attempt: Attempt) -> Outcome | None:
        return None

    def refuse_login(self, relay: str) -> None:
        self.refused.append(relay)

    def change(self) -> None:
        self.pool.go()
        self.news.set()

    @property
    def states(self) -> Counter[str]:
        return Counter(outcome.verdict.state for outcome in self.outcomes.values())

    def push(self, names: list[str]) -> int:
        """Give what there is room for to the relays; how many that were."""
        relays = self.pool.share_out(len(names))
        for name, relay in zip(names, relays, strict=False):
            self.pool.push(make_attempt(name, relay=relay))
        self.pool.go()
        return len(relays)

    async def until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self.news.clear()
            await self.news.wait()

    async def send(self, count: int) -> None:
        """Give all of them, as there is room, until each has ended or no relay is left."""
        names = [f"p{number}" for number in range(count)]
        while len(self.outcomes) < count and (self.pool.trouble is None or len(self.outcomes) < count - len(names)):
            names = names[self.push(names) :]
            known = len(self.outcomes)
            await self.until(lambda: len(self.outcomes) > known or self.pool.trouble is not None)  # noqa: B023


@asynccontextmanager
async def posting(*relays: dict[str, Any], **smtp: Any) -> AsyncIterator[Post]:
    """A pool of these relays, closed at the end."""
    config = make_config(25, relays=[{"security": "none", **relay} for relay in relays], **smtp)
    post = Post(config)
    try:
        yield post
    finally:
        await post.pool.end()
        post.pool.abort()


@dataclass
class Counting:
    """A relay that takes everything; how many connections it had, how many at once, and what it took."""

    dies_after: int | None = None
    """Messages; then every connection is cut and no further one is greeted."""
    ehlo: bytes = PIPELINING
    connections: int = 0
    most: int = 0
    quits: int = 0
    open: int = 0
    took: list[bytes] = field(default_factory=list)

    @property
    def is_dead(self) -> bool:
        return self.dies_after is not None and len(self.took) >= self.dies_after

    async def talk(self, client: Client) -> None:
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await self._carry(client)
        finally:
            self.open -= 1

    async def _carry(self, client: Client) -> None:
        if self.is_dead:
            client.say(b"421 4.3.2 going down\r\n")
            return None
        await client.greet(self.ehlo)
        while (line := await client.line()) != b"QUIT":
            if line.startswith(b"RCPT") and self.is_dead:
                return client.writer.transport.abort()
            client.say(b"354 go on\r\n" if line == b"DATA" else OK)
            if line.startswith(b"RCPT"):
                recipient = line
            if line == b"DATA":
                await client.body()
                self.took.append(recipient)
                client.say(OK)
        self.quits += 1
        client.say(b"221 bye\r\n")
        return None


def test_all_messages_go_over_as_many_connections_as_allowed() -> None:
    relay = Counting()

    async def test() -> Post:
        async with serving(relay.talk) as port:
            async with posting({"port": port}, connections=3) as post:
                await post.pool.open()
                assert post.pool.room == 6
                await post.send(40)
            return post

    post = run(test())

    assert post.states == {"sent": 40}
    assert len(set(relay.took)) == len(relay.took) == 40
    assert 1 < relay.most <= 3
    assert relay.quits == relay.connections


@pytest.mark.parametrize("ehlo", [PLAIN, PIPELINING], ids=["plain", "pipelining"])
def test_after_so_many_messages_a_connection_is_replaced(ehlo: bytes) -> None:
    relay = Counting(ehlo=ehlo)

    async def test() -> Post:
        async with serving(relay.talk) as port:
            async with posting({"port": port}, connections=1, messages_per_connection=3) as post:
                await post.pool.open()
                await post.send(10)
            return post

    assert run(test()).states == {"sent": 10}
    assert (relay.connections, relay.most, relay.quits) == (4, 1, 4)


def test_messages_are_shared_by_weight() -> None:
    async def test() -> tuple[Counter[str], list[str]]:
        ready = [Counting(), Counting(), Counting()]
        async with serving(ready[0].talk) as a, serving(ready[1].talk) as b, serving(ready[2].talk) as c:
            relays = [
                {"name": "a", "port": a, "weight": 3},
                {"name": "b", "port": b, "weight": 1},
                {"name": "c", "port": c, "weight": 0},
            ]
            async with posting(*relays, connections=10) as post:
                await post.pool.open()
                first = post.pool.share_out(20)
                await post.send(60)
        assert post.states == {"sent": 60}
        return Counter(post.relays.values()), first

    shares, first = run(test())

    assert Counter(first) == {"a": 15, "b": 5}
    assert shares["a"] > shares["b"] > 0
    assert shares["c"] == 0


def test_a_relay_of_weight_0_works_only_while_no_other_does() -> None:
    standby = Counting()

    async def test() -> Post:
        async with serving(standby.talk) as port:
            relays = [{"name": "a", "port": 1}, {"name": "spare", "port": port, "weight": 0}]
            async with posting(*relays, connections=2) as post:
                await post.pool.open()
                await post.send(9)
            return post

    post = run(test())

    assert post.states == {"sent": 9}
    assert set(post.relays.values()) == {"spare"}


def test_where_a_relay_dies_the_other_takes_over_and_nothing_is_lost_or_sent_twice() -> None:
    dying, other = Counting(dies_after=5), Counting()

    async def test() -> Post:
        async with serving(dying.talk) as a, serving(other.talk) as b:
            relays = [{"name": "dying", "port": a, "weight": 5}, {"name": "other", "port": b}]
            async with posting(*relays, connections=4) as post:
                await post.pool.open()
                await post.send(60)
            return post

    post = run(test())

    took = dying.took + other.took
    assert len(post.outcomes) == 60
    assert len(set(took)) == len(took)
    assert set(post.states) <= {"sent", "planned", "deferred", "uncertain"}
    assert post.states["sent"] <= len(took) <= post.states["sent"] + post.states["uncertain"]
    assert set(list(post.relays.values())[-20:]) == {"other"}
    said = {name for name, outcome in post.outcomes.items() if outcome.verdict.state == "planned"}
    assert not {f"RCPT TO:<{name}@example.org>".encode() for name in said} & set(took)


def test_messages_ready_for_a_relay_that_cannot_be_reached_come_back_untried() -> None:
    class OneConnection(Counting):
        async def _carry(self, client: Client) -> None:
            if self.connections > 1:
                return client.say(b"554 5.7.1 no more\r\n")
            await client.greet(PLAIN)
            await client.line()
            return client.writer.transport.abort()

    relay = OneConnection()

    async def test() -> tuple[Post, str | None]:
        async with serving(relay.talk) as port:
            async with posting({"port": port}, connections=3) as post:
                await post.pool.open()
                post.push([f"p{number}" for number in range(6)])
                await post.until(lambda: len(post.outcomes) == 6)
                trouble = post.pool.trouble
                assert (post.pool.room, post.pool.share_out(3)) == (0, [])
            return post, trouble

    post, trouble = run(test())

    assert set(post.states) == {"planned", "deferred"}
    assert post.states["deferred"] == 1
    assert "554 5.7.1 no more" in str(trouble)
    assert "554 5.7.1 no more" in next(one.reply for one in post.outcomes.values() if one.verdict.state == "planned")


def test_after_a_failure_one_connection_is_tried_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.transport.route.LEFT_ALONE_S", 0.05)

    class Recovering(Counting):
        async def _carry(self, client: Client) -> None:
            if self.connections <= 2:
                return client.say(b"421 4.3.2 not yet\r\n")
            await asyncio.sleep(0)
            if self.open > 1 and not self.took:
                raise AssertionError("a second connection before the first was known to work")
            return await super()._carry(client)

    relay = Recovering()

    async def test() -> Post:
        async with serving(relay.talk) as port:
            async with posting({"port": port}, connections=5) as post:
                for _ in range(2):
                    with pytest.raises(TransportError, match="421"):
                        await post.pool.open()
                    assert post.pool.trouble is not None
                    while post.pool.trouble is not None:
                        await asyncio.sleep(0.01)
                post.push([f"p{number}" for number in range(10)])
                assert relay.connections == 2
                await post.until(lambda: len(post.outcomes) == 10)
            return post

    assert run(test()).states == {"sent": 10}
    assert relay.most > 1


def test_a_relay_that_cuts_every_connection_is_given_up() -> None:
    class Cutting(Counting):
        async def _carry(self, client: Client) -> None:
            await client.greet(PIPELINING)
            await client.line()

    relay = Cutting()

    async def test() -> tuple[Post, str | None]:
        async with serving(relay.talk) as port:
            async with posting({"port": port}, connections=3) as post:
                await post.pool.open()
                await post.send(50)
                trouble = post.pool.trouble
            return post, trouble

    post, trouble = run(test())

    assert "keeps closing connections" in str(trouble)
    assert set(post.states) <= {"deferred", "planned"}
    assert LOST_MAX <= relay.connections <= LOST_MAX + 3


def test_a_relay_that_sends_us_away_gets_fewer_connections() -> None:
    class Busy(Counting):
        async def _carry(self, client: Client) -> None:
            await client.greet(PIPELINING)
            await client.envelope()
            await client.body()
            client.say(OK)
            await client.line()
            client.say(b"421 4.3.2 enough\r\n")

    relay = Busy()

    async def test() -> Post:
        async with serving(relay.talk) as port:
            async with posting({"port": port}, connections=3) as post:
                await post.pool.open()
                await post.send(12)
                await post.until(lambda: relay.open == 0)
                assert post.pool.room == 2
            return post

    assert set(run(test()).states) <= {"sent", "deferred"}


# Beginning and end


def test_where_no_relay_can_be_used_all_are_named() -> None:
    async def talk(client: Client) -> None:
        client.say(b"554 5.7.1 no\r\n")

    async def test() -> None:
        async with serving(talk) as port, posting({"name": "a", "port": 1}, {"name": "b", "port": port}) as post:
            await post.pool.open()

    with pytest.raises(TransportError, match=r"(?s)127\.0\.0\.1:1: .*; SMTP server .*554 5\.7\.1 no"):
        run(test())


def test_a_refused_password_stays_known_as_such(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    auths = []

    async def talk(client: Client) -> None:
        await client.greet(b"250-here\r\n250 AUTH PLAIN\r\n")
        auths.append(await client.line())
        client.say(b"535 5.7.8 no\r\n")
        await client.rest()

    async def test() -> None:
        async with serving(talk) as port:
            relay = {"port": port, "username": "news", "password_file": tmp_path / "password"}
            async with posting(relay) as post:
                with pytest.raises(AuthenticationError):
                    await post.pool.open()
                assert post.push(["p1"]) == 0
                post.pool.go()

    run(test())

    assert len(auths) == 1


def test_a_password_file_that_is_gone_is_a_trouble_and_no_storm_of_connections(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret")
    connections = []

    async def talk(client: Client) -> None:
        connections.append(client)
        await client.greet(b"250-here\r\n250 AUTH PLAIN\r\n")
        await client.line()
        client.say(b"235 2.7.0 welcome\r\n")
        await client.line()
        password.unlink()

    async def test() -> Post:
        async with serving(talk) as port:
            async with posting({"port": port, "username": "news", "password_file": password}) as post:
                await post.pool.open()
                post.push(["p1", "p2", "p3"])
                await post.until(lambda: len(post.outcomes) == 3)
                assert "password" in str(post.pool.trouble)
            return post

    assert set(run(test()).states) == {"deferred", "planned"}
    assert len(connections) <= 4


def test_what_is_ready_when_the_run_ends_comes_back_untried_and_connections_are_left() -> None:
    relay = Counting()

    async def test() -> Post:
        async with serving(relay.talk) as port:
            async with posting({"port": port}, connections=2) as post:
                await post.pool.open()
                post.push(["p1", "p2", "p3", "p4"])
            return post

    post = run(test())

    assert len(post.outcomes) == 4
    assert set(post.states) <= {"sent", "planned"}
    assert post.states["sent"] == len(relay.took)
    assert relay.quits == relay.connections


def test_a_connection_that_comes_about_while_the_run_ends_is_left_with_quit() -> None:
    relay, is_dialled = Counting(), asyncio.Event()
    said: list[bytes] = []

    async def test() -> Post:
        may_greet = asyncio.Event()

        async def talk(client: Client) -> None:
            if not relay.connections:
                return await relay.talk(client)
            is_dialled.set()
            await may_greet.wait()
            await client.greet(PIPELINING)
            said.append(await client.line())
            return client.say(b"221 bye\r\n")

        async with serving(talk) as port:
            async with posting({"port": port}, connections=2, scale=0.1) as post:
                await post.pool.open()
                post.push(["p1", "p2", "p3", "p4"])
                await is_dialled.wait()
                ending = asyncio.ensure_future(post.pool.end())
                await asyncio.sleep(0)
                may_greet.set()
                await ending
            return post

    assert len(run(test()).outcomes) == 4
    assert said == [b"QUIT"]


def test_the_end_does_not_wait_for_a_relay_that_does_not_greet() -> None:
    relay, is_dialled = Counting(), asyncio.Event()

    async def talk(client: Client) -> None:
        if not relay.connections:
            return await relay.talk(client)
        is_dialled.set()
        await client.rest()
        return None

    async def test() -> float:
        async with serving(talk) as port, posting({"port": port}, connections=2, scale=0.1) as post:
            await post.pool.open()
            post.push(["p1", "p2", "p3", "p4"])
            await is_dialled.wait()
            began = asyncio.get_running_loop().time()
            await post.pool.end()
            return asyncio.get_running_loop().time() - began

    assert run(test()) < 5  # the greeting has 30 s


def test_while_a_connection_is_being_opened_there_is_no_trouble_yet() -> None:
    """Else a run would have trouble and open messages at once, and nothing to wait for."""
    relay = Counting()

    async def test() -> tuple[list[str | None], Post]:
        greeted = asyncio.Event()
        seen: list[str | None] = []

        async def talk(client: Client) -> None:
            relay.connections += 1
            match relay.connections:
                case 1:
                    await client.greet(PLAIN)
                    await client.line()
                    while relay.connections < 3:
                        await asyncio.sleep(0.001)
                case 2:
                    client.say(b"554 5.7.1 no\r\n")
                case _:
                    await greeted.wait()
                    client.say(b"554 5.7.1 no\r\n")

        async with serving(talk) as port:
            async with posting({"port": port}, connections=3) as post:
                await post.pool.open()
                post.push([f"p{number}" for number in range(6)])
                await post.until(lambda: len(post.outcomes) == 1)
                while post.pool._routes[0].trouble is None or post.pool._routes[0]._sessions:
                    await asyncio.sleep(0.001)
                seen.append(post.pool.trouble)
                greeted.set()
                await post.until(lambda: len(post.outcomes) == 6)
                seen.append(post.pool.trouble)
            return seen, post

    seen, post = run(test())

    assert seen[0] is None
    assert "554 5.7.1 no" in str(seen[1])
    assert post.states == {"deferred": 1, "planned": 5}


def test_the_smallest_size_that_a_relay_names_is_the_limit() -> None:
    def talks(size: bytes) -> Talk:
        async def talk(client: Client) -> None:
            client.say(GREETING)
            await client.line()
            client.say(b"250-here\r\n250 SIZE " + size + b"\r\n")
            await client.part()

        return talk

    async def test() -> int | None:
        async with serving(talks(b"2000")) as a, serving(talks(b"1000")) as b, serving(talks(b"0")) as c:
            relays = [{"name": name, "port": port} for name, port in (("a", a), ("b", b), ("c", c))]
            async with posting(*relays) as post:
                await post.pool.open()
                await post.until(lambda: post.pool.size_limit == 1000)
                return post.pool.size_limit

    assert run(test()) == 1000
