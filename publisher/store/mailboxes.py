"""How the last editions ended for one person, to tell a mailbox that is closed for good from a full one."""

from sqlalchemy import Connection, func, select

from publisher.store.schema_dispatch import deliveries, delivery_events
from subscribers.mailboxes import Ending

TRIED = ("sent", "deferred", "failed", "expired", "cancelled", "uncertain")
"""States in which a server may have said something; those without an attempt do not count."""

MOST = 1500
"""Two weeks of a digest every fifteen minutes, and some."""


def read_endings(tx: Connection, delivery_id: int) -> list[Ending]:
    """How editions ended for the subscriber of that delivery, newest first, itself included as it stands.

    The reply is the server's last: what closed a delivery later (it expired, say) is not.
    """
    owner = select(deliveries.c.subscriber_id).where(deliveries.c.id == delivery_id).scalar_subquery()
    said = (
        select(delivery_events.c.reply)
        .where(delivery_events.c.delivery_id == deliveries.c.id)
        .order_by(delivery_events.c.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    was_tried = (deliveries.c.attempts > 0) & deliveries.c.state.in_(TRIED)
    query = (
        select(deliveries.c.changed_at, deliveries.c.state, func.coalesce(said, deliveries.c.reply, ""))
        .where(deliveries.c.subscriber_id == owner, was_tried)
        .order_by(deliveries.c.changed_at.desc(), deliveries.c.id.desc())
        .limit(MOST)
    )
    return [Ending(*row) for row in tx.execute(query)]
