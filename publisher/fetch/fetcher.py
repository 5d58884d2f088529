"""The one fetcher: every address is checked before it is connected to, everything has a limit."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    ThreadedResolver,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from publisher.errors import FetchError
from publisher.fetch.addresses import Address, is_allowed, parse_address
from publisher.fetch.decoding import BodyDecoder

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_KEEPING_METHOD = frozenset({307, 308})
_WEB_PORTS = frozenset({80, 443})
_CHUNK_BYTES = 65_536

AddressCheck = Callable[[Address, bool], bool]
"""Whether an address may be connected to; the second argument says whether an internal one is meant."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a single fetch may cost, redirects included."""

    total_s: float = 20
    max_bytes: int = 10_000_000
    redirects: int = 5
    per_host: int = 2
    """Fetches from one host at a time."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the settings of a source allow its fetches: its port, and whether its own host may be a private one."""

    host: str
    port: int | None
    internal: bool

    @classmethod
    def of(cls, url: str, *, internal: bool) -> Self:
        """The origin that a source's URL names."""
        parsed = _parse(url)
        return cls(parsed.host or "", parsed.port, internal)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status, with its body decompressed."""

    status: int
    url: str
    """Where it was found in the end."""
    body: bytes
    headers: Mapping[str, str]
    charset: str | None
    permanent_url: str | None
    """Where the resource has moved for good (301, 308); None where it has not."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent, again after each of these redirects."""

    method: str
    redirects: Set[int]
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None


class Fetcher:
    """Fetches within limits; an async context manager. Keeps no cookies and knows no proxies."""

    def __init__(
        self,
        user_agent: str,
        limits: Limits | None = None,
        *,
        resolver: AbstractResolver | None = None,
        check: AddressCheck | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._limits = limits or Limits()
        self._resolver = resolver
        self._check = check or (lambda address, internal: is_allowed(address, internal=internal))
        self._sessions: dict[bool, ClientSession] = {}
        self._hosts: dict[str, asyncio.Semaphore] = {}

    async def __aenter__(self) -> Self:
        # Two sessions, so that a connection opened for an internal source never serves another.
        self._sessions = {internal: self._open_session(internal=internal) for internal in (False, True)}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()

    async def get(
        self, url: str, origin: Origin, *, etag: str | None = None, last_modified: str | None = None
    ) -> Response:
        """The answer to a GET; FetchError where there is none within the limits. Validators go out as they came."""
        headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        sent = {name: value for name, value in headers.items() if value}
        return await self._ask(url, origin, _Request("GET", _REDIRECTS, headers=sent))

    async def post(self, url: str, origin: Origin, form: Mapping[str, str]) -> Response:
        """The answer to a POST of that form; FetchError where there is none within the limits.

        Only redirects that keep the method are followed (307, 308); another is the answer.
        """
        return await self._ask(url, origin, _Request("POST", _KEEPING_METHOD, form=form))

    async def _ask(self, url: str, origin: Origin, request: "_Request") -> Response:
        host = _parse(url).host or ""
        async with self._hosts.setdefault(host, asyncio.Semaphore(self._limits.per_host)):
            try:
                async with asyncio.timeout(self._limits.total_s):
                    return await self._follow(url, origin, request)
            except TimeoutError as error:
                raise FetchError(f"{url}: no complete answer within {self._limits.total_s:g} seconds") from error
            except (ClientError, OSError, ValueError) as error:
                raise FetchError(f"{url}: {error or type(error).__name__}") from error

    async def _follow(self, url: str, origin: Origin, request: "_Request") -> Response:
        current, permanent, is_permanent = _parse(url), None, True
        for _ in range(self._limits.redirects + 1):
            session = self._choose_session(current, origin)
            async with session.request(
                request.method, current, headers=request.headers, data=request.form, allow_redirects=False
            ) as answer:
                target = answer.headers.get("Location")
                if answer.status not in request.redirects or not target:
                    return await self._read(answer, permanent_url=permanent)
                is_permanent = is_permanent and answer.status in _PERMANENT
                current = _parse(str(current.join(URL(target))))
                permanent = str(current) if is_permanent else permanent
        raise FetchError(f"{url}: more than {self._limits.redirects} redirects")

    def _choose_session(self, url: URL, origin: Origin) -> ClientSession:
        """The session for the URL; FetchError where its port or its literal address is not allowed."""
        if url.port not in _WEB_PORTS and url.port != origin.port:
            raise FetchError(f"{url}: port {url.port} is refused. Allowed are 80, 443 and the port of the source")
        is_internal = origin.internal and url.host == origin.host
        address = parse_address(url.host or "")
        if address and not self._check(address, is_internal):
            raise FetchError(_refuse(str(url), str(address)))
        return self._sessions[is_internal]

    async def _read(self, answer: ClientResponse, *, permanent_url: str | None) -> Response:
        url = str(answer.url)
        decoder = BodyDecoder(answer.headers.get("Content-Encoding", ""), url, max_bytes=self._limits.max_bytes)
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            decoder.feed(chunk)
        # Several lines of one header mean the same as one with commas (RFC 9110 §5.3).
        headers = {name.lower(): ", ".join(answer.headers.getall(name)) for name in answer.headers}
        return Response(answer.status, url, decoder.body(), headers, answer.charset, permanent_url)

    def _open_session(self, *, internal: bool) -> ClientSession:
        resolver = _CheckedResolver(self._resolver or ThreadedResolver(), self._check, internal=internal)
        return ClientSession(
            connector=TCPConnector(resolver=resolver, use_dns_cache=False),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate", "Accept": "*/*"},
            timeout=ClientTimeout(total=None),  # Limits.total_s counts
            auto_decompress=False,
            trust_env=False,
        )


class _CheckedResolver(AbstractResolver):
    """Resolves once; what it returns was checked and is what is connected to, so a name cannot change its mind."""

    def __init__(self, resolver: AbstractResolver, check: AddressCheck, *, internal: bool) -> None:
        self._resolver = resolver
        self._check = check
        self._internal = internal

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            address = parse_address(result["host"].partition("%")[0])
            if address is None or not self._check(address, self._internal):
                raise FetchError(_refuse(host, result["host"]))
        return results

    async def close(self) -> None:
        await self._resolver.close()


def _refuse(what: str, address: str) -> str:
    return (
        f"{what}: {address} is not a public address, which is refused. "
        "Where it is meant, an admin sets internal = true on a source of that host"
    )


def _parse(url: str) -> URL:
    """The URL; FetchError unless it is http or https, with a host and without a user name."""
    try:
        parsed = URL(url)
    except ValueError as error:
        raise FetchError(f"{url!r} is not a URL ({error})") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise FetchError(f"{url!r} is neither http nor https, which is refused")
    if parsed.user is not None or parsed.password is not None:
        raise FetchError(f"{parsed.host}: a URL with a user name is refused")
    return parsed
