"""Tables of sending: the ledger, who may write to it, the pace of relays and providers."""

from typing import Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from publisher.store.columns import Id, Moment, metadata

DeliveryState = Literal["planned", "deferred", "uncertain"]
"""The states that have an index of their own."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("variant_id", ForeignKey("variants.id"), nullable=False),
    Column("email", Text),  # as planned, so that every retry sends the same bytes; empty after erasure
    Column("name", Text, nullable=False, default=""),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Moment),  # uncertain: when the log of the relay is looked at again
    Column("fence", BigInteger),  # the lease of the sender that holds the claim
    Column(
        "resends", Integer, nullable=False, default=0, server_default="0"
    ),  # how often it was sent again after being uncertain
    Column("reply", Text),  # the server's last word, or why nothing was tried
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("edition_id", "subscriber_id"),
    Index(None, "subscriber_id"),
)
Index(
    "ix_deliveries_waiting",
    deliveries.c.edition_id,
    deliveries.c.id,
    sqlite_where=deliveries.c.state == "planned",
    postgresql_where=deliveries.c.state == "planned",
)
Index(
    "ix_deliveries_deferred",
    deliveries.c.edition_id,
    deliveries.c.next_attempt_at,
    sqlite_where=deliveries.c.state == "deferred",
    postgresql_where=deliveries.c.state == "deferred",
)
Index(
    "ix_deliveries_uncertain",
    deliveries.c.edition_id,
    sqlite_where=deliveries.c.state == "uncertain",
    postgresql_where=deliveries.c.state == "uncertain",
)
Index(
    "ix_deliveries_held",
    deliveries.c.fence,
    sqlite_where=deliveries.c.fence.is_not(None),
    postgresql_where=deliveries.c.fence.is_not(None),
)


def is_in(state: DeliveryState) -> ColumnElement[bool]:
    """Whether a delivery is in that state, which stands in the text of the statement: only so does the database see,
    before it knows the values, that one of the partial indexes serves.
    """
    return deliveries.c.state == literal_column(f"'{state}'")


leases = Table(
    "leases",
    metadata,
    Column("id", Id, primary_key=True),  # the fencing token: a later one is greater, and none comes twice
    Column("holder", Text, nullable=False),  # host and process, for people
    Column("until", Moment, nullable=False),  # by the clock of the database
    sqlite_autoincrement=True,
)

delivery_events = Table(
    "delivery_events",
    metadata,
    Column("id", Text, primary_key=True),  # delivery:attempt, so that recording twice adds nothing
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reply", Text, nullable=False),
    Index(None, "delivery_id"),
)

pace = Table(
    "pace",
    metadata,
    Column("key", Text, primary_key=True),  # relay:<name> | domain:<recipient domain> | warm-up
    Column("tokens", Float),  # what the bucket held at filled_at; empty: nothing limits the rate
    Column("filled_at", Moment),
    Column("rate", Float),  # learnt, below the configured one: messages a second
    Column("connections", Integer),  # learnt, below the configured pool
    Column("changed_at", Moment),  # when rate and connections were learnt
    Column("open_until", Moment),  # no message begins before; empty: the breaker is closed
    Column("is_probing", Boolean, nullable=False),
    Column("opened_at", Moment),
    Column("openings", Integer, nullable=False),  # in a row
    Column("kind", String(16), nullable=False),  # of the replies that opened it
    Column("detail", Text, nullable=False),
)
