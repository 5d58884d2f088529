"""Mail addresses: one person, one key, however the address is spelled."""

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

MAX_LENGTH = 254
"""RFC 5321 §4.5.3.1.3 allows 256 octets for a path, two of them angle brackets."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address in the form that is mailed to, with the key that all its spellings share."""

    email: str
    """The local part as written, the domain in lower case and in Unicode."""
    key: str
    """Case-folded local part, domain as A-labels: ``ana@xn--bcher-kva.example``."""


def parse_address(text: str) -> Address:
    """The address in this text; ValueError says what is wrong with it and what to do. No DNS is asked."""
    written = text.strip()
    if len(written) > MAX_LENGTH:
        raise ValueError(f"the address has {len(written)} characters, {MAX_LENGTH} are allowed. Shorten it")
    try:
        checked = validate_email(written, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(f"{_shown(written)} is not a mail address: {error} Write it like ana@example.org") from error
    return Address(checked.normalized, f"{_folded(checked.local_part)}@{checked.ascii_domain.lower()}")


def _folded(local_part: str) -> str:
    # Case folding can undo a normal form, and a compatibility form can hide a case.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", local_part).casefold())


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= 60 else f"{text[:60]!a}…"
