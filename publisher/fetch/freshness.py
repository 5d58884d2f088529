"""When to ask again, by the headers of an answer (RFC 9110 §10.2.3, RFC 9111 §5)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

DAY_S = 86_400

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


def freshness_s(headers: Mapping[str, str], now: datetime) -> int:
    """For how many seconds the answer stays good by Cache-Control, else by Expires; a day at most, 0 where unsaid.

    ``headers`` have lower-case names.
    """
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    seconds = int(found[1]) if found else _seconds_until(headers.get("expires", ""), now)
    return min(max(seconds, 0), DAY_S)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> int:
    """The seconds that Retry-After asks to wait, given as seconds or a date; a day at most, 0 where unsaid."""
    text = headers.get("retry-after", "").strip()
    seconds = int(text) if re.fullmatch(r"\d{1,9}", text) else _seconds_until(text, now)
    return min(max(seconds, 0), DAY_S)


def _seconds_until(text: str, now: datetime) -> int:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int((aware - now).total_seconds())
