"""What is personal about a message: address, links, identifiers. The same on every retry."""

from fnmatch import fnmatchcase

from publisher.app import App
from publisher.mail.frame import Frame, PersonParts, fill
from publisher.mail.headers import ascii_address, needs_smtputf8
from publisher.store.deliveries import Claim
from publisher.transport.messages import Envelope
from subscribers.tokens import make_bounce_local, make_message_local, make_unsubscribe_token


def make_envelope(app: App, claim: Claim, frame: Frame, *, digest_number: int) -> Envelope:
    """The message of a delivery, not signed yet, in its envelope; RenderError where the address cannot be written."""
    address = claim.email or ""
    identifier = message_id(app, claim.edition_id, claim.subscriber_id)
    person = PersonParts(
        address=address,
        name=claim.name,
        token=make_unsubscribe_token(app.secret, subscriber_id=claim.subscriber_id, digest_number=digest_number),
        message_id=identifier,
    )
    return Envelope(
        sender=f"{make_bounce_local(app.secret, claim.subscriber_id)}@{app.config.mail.bounce_domain}",
        recipient=ascii_address(address),
        message=fill(frame, person),
        envelope_id=identifier[1:-1],
        needs_smtputf8=needs_smtputf8(address),
        may_have_dots=frame.has_dots,
    )


def message_id(app: App, edition_id: str, subscriber_id: int) -> str:
    """``<edition.mac@domain>``: see ``subscribers.tokens.make_message_local``."""
    local = make_message_local(app.secret, edition_id=edition_id, subscriber_id=subscriber_id)
    return f"<{local}@{app.config.mail.sender_domain}>"


def may_get_mail(app: App, address: str | None) -> bool:
    """Whether ``mail.only_to``, where it is given, lets this address have mail."""
    patterns = app.config.mail.only_to
    if address is None:
        return False
    return patterns is None or any(fnmatchcase(address.lower(), pattern.lower()) for pattern in patterns)
