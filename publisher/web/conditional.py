"""Conditional requests and content codings (RFC 9110 §8.4, §12.5.3, §13)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from publisher.usecases.documents import CODINGS, Coding

Headers = Iterable[tuple[bytes, bytes]]
"""As ASGI has them: names in small letters, a name perhaps several times."""

_LONGEST_REMEMBERED = 200
"""Of a header, in bytes: memory is not for strangers to fill."""
_LONGEST_DATE = 64
_ALIASES = {"x-gzip": "gzip"}


@dataclass(slots=True)
class Asked:
    """What of a request decides about the answer; of headers given several times the values are joined by commas."""

    if_none_match: bytes | None = None
    if_modified_since: bytes | None = None
    accept_encoding: bytes = b""
    forwarded_for: bytes = b""

    @property
    def is_conditional(self) -> bool:
        return self.if_none_match is not None or self.if_modified_since is not None


def read_asked(headers: Headers) -> Asked:
    """These headers, by one pass over all."""
    asked = Asked()
    for name, value in headers:
        if name == b"if-none-match":
            asked.if_none_match = value if asked.if_none_match is None else asked.if_none_match + b"," + value
        elif name == b"accept-encoding":
            asked.accept_encoding += b"," + value if asked.accept_encoding else value
        elif name == b"if-modified-since":
            asked.if_modified_since = value
        elif name == b"x-forwarded-for":
            asked.forwarded_for += b"," + value if asked.forwarded_for else value
    return asked


def is_fresh(asked: Asked, *, etag: str, changed_at: datetime | None) -> bool:
    """Whether the client's copy is still good (304). Where it names entity tags, they alone decide."""
    if asked.if_none_match is not None:
        return _is_named(etag, asked.if_none_match.decode("latin-1"))
    said = (asked.if_modified_since or b"").decode("latin-1")
    since = _parse_date(said) if len(said) <= _LONGEST_DATE else None
    return since is not None and changed_at is not None and changed_at.replace(microsecond=0) <= since


def choose_coding(accepted: bytes) -> Coding | None:
    """What the client weighs most among the codings there are; None: the bytes as they are.

    Among equals the one that saves most. Who says only ``*`` is taken to know gzip.
    """
    return _choose_remembered(accepted) if len(accepted) <= _LONGEST_REMEMBERED else _choose(accepted)


def _choose(accepted: bytes) -> Coding | None:
    weights = _parse_codings(accepted.decode("latin-1"))
    weights.setdefault("gzip", weights.get("*", 0.0))
    best = max(CODINGS, key=lambda coding: weights.get(coding, 0.0))
    weight = weights.get(best, 0.0)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


_choose_remembered = lru_cache(maxsize=512)(_choose)


def _is_named(etag: str, named: str) -> bool:
    """By weak comparison (§8.8.3.2): ``W/`` says nothing."""
    if named == etag:
        return True
    tags = [tag.strip().removeprefix("W/") for tag in named.split(",")]
    return "*" in tags or etag in tags


def _parse_codings(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, parameters = part.partition(";")
        coding = name.strip().lower()
        weights[_ALIASES.get(coding, coding)] = _parse_weight(parameters)
    return weights


def _parse_weight(parameters: str) -> float:
    """1 where none is given, 0 where it makes no sense: what is unclear is not sent."""
    name, _, value = parameters.partition("=")
    if not name.strip():
        return 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


@lru_cache(maxsize=512)
def _parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year of eleven digits
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
