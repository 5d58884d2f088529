"""Tables of WebSub: what hubs are still to be told, and what hubs tell us."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from publisher.store.columns import Id, Moment, metadata

hub_pings = Table(
    "hub_pings",
    metadata,
    Column("hub", Text, primary_key=True),
    Column("topic", Text, primary_key=True),  # the URL of the feed that changed
    Column("changed_at", Moment, nullable=False),  # the last change that the hub is not told of
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Moment, nullable=False),
    Index(None, "next_attempt_at"),
)

hub_subscriptions = Table(
    "hub_subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("hub", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("token", String(64), nullable=False, unique=True),  # of the callback's address
    Column("secret", String(64), nullable=False),  # what the hub signs with
    Column("wanted", String(16), nullable=False),  # subscribe | unsubscribe
    Column("pending_until", Moment),  # until then the hub may ask whether we meant it
    Column("lease_until", Moment),
    Column("next_attempt_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),  # in a row, without success
    Column("notified_at", Moment),
    Column("error", Text),
    UniqueConstraint("source_id", "hub", "topic"),
    Index(None, "next_attempt_at"),
)
