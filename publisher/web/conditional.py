"""Conditional requests and content codings (RFC 9110 §8.4, §12.5.3, §13)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from starlette.datastructures import Headers


def is_fresh(headers: Headers, *, etag: str, changed_at: datetime | None) -> bool:
    """Whether the client's copy is still good (304). Where it names entity tags, they alone decide."""
    named = headers.getlist("if-none-match")
    if named:
        return _is_named(etag, ",".join(named))
    since = _parse_date(headers.get("if-modified-since", ""))
    return since is not None and changed_at is not None and changed_at.replace(microsecond=0) <= since


def takes_gzip(headers: Headers) -> bool:
    """Whether gzip may be sent; what the client does not speak of is not sent."""
    weights = dict(_parse_coding(part) for part in ",".join(headers.getlist("accept-encoding")).split(","))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _is_named(etag: str, named: str) -> bool:
    """By weak comparison (§8.8.3.2): ``W/`` says nothing."""
    tags = [tag.strip().removeprefix("W/") for tag in named.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags


def _parse_coding(part: str) -> tuple[str, float]:
    name, _, parameters = part.partition(";")
    weight = parameters.strip().lower().removeprefix("q=")
    try:
        return name.strip().lower(), float(weight) if parameters.strip() else 1.0
    except ValueError:
        return name.strip().lower(), 0.0


def _parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year of eleven digits
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
