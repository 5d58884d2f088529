"""All tables. The unique keys carry the promises of the system: see docs/architecture.md."""

import json
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment kept as microseconds since 1970: sorts, compares and fits every database alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """A JSON value as canonical text (sorted keys, no spaces); any JSON type, hence ``Any``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC moment of microseconds since 1970."""
    return datetime.fromtimestamp(micros // 1_000_000, tz=UTC).replace(microsecond=micros % 1_000_000)


# A 64-bit key that SQLite still takes as its row id.
_Id = BigInteger().with_variant(Integer, "sqlite")

themes = Table(
    "themes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("rule", Json, nullable=False),  # the whole [[themes]] entry, titles included
)

regions = Table(
    "regions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("rule", Json, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),  # earlier sources win where two disagree about an item
    Column("settings", Json, nullable=False),  # the [[sources]] entry as written
    Column("ended_at", Moment),  # no longer collected; its items stay
    # What collecting has learned:
    Column("url", Text, nullable=False),  # moved by 301 and 308
    Column("etag", Text),
    Column("last_modified", Text),
    Column("next_due_at", Moment),
    Column("failures", Integer, nullable=False, default=0),  # in a row
    Column("first_collected_at", Moment),  # first success; what was there then is the backlog
)

progress = Table(
    "progress",
    metadata,
    Column("work", String(32), primary_key=True),  # of many transactions, to be made good where it was ended between
    Column("value", Text, nullable=False),  # classified: the label rules by which all items were classified last
)

collections = Table(
    "collections",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("status", String(16), nullable=False),  # ok | not-modified | partial | failed
    Column("entries", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("error", Text),
    Index(None, "source_id", "at"),
)

items = Table(
    "items",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("identity", Text, nullable=False, unique=True),  # the first key it was known by
    Column("uid", String(32), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("content_html", Text, nullable=False, default=""),
    Column("author", Text, nullable=False, default=""),
    Column("category", Text, nullable=False, default=""),
    Column("language", String(16), nullable=False),
    Column("day", Date, nullable=False),
    Column("date_source", String(16), nullable=False),  # source | first-seen
    Column("published_at", Moment, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("released_at", Moment),  # from here on it may be mailed; empty: backlog, feeds only
    Column("version", Integer, nullable=False, default=1),
    Column("primary_theme", String(64)),
    Column("kind", String(16), nullable=False),
    Column("deadline", Date),
    Column("event_start", Date),
    Column("event_end", Date),
    Column("matches", Json, nullable=False),  # [{"label", "text"}…]
    Index(None, "released_at"),
    Index(None, "published_at"),
    Index(None, "updated_at"),
)

item_labels = Table(
    "item_labels",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("axis", String(16), primary_key=True),  # theme | region | country | project
    Column("label", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Index(None, "axis", "label"),
)

item_keys = Table(
    "item_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Index(None, "item_id"),
)

sightings = Table(
    "sightings",
    metadata,
    Column("source_id", ForeignKey("sources.id"), primary_key=True),
    Column("entry_key", Text, primary_key=True),  # the entry's own first key within that source
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("entry", Json, nullable=False),  # what that source says of the item
    Column("first_seen_at", Moment, nullable=False),
    Column("is_backlog", Boolean, nullable=False),
    Index(None, "item_id"),
)

item_versions = Table(
    "item_versions",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("until", Moment, nullable=False),  # when the next version replaced it
    Column("content", Json, nullable=False),
)

corrections = Table(
    "corrections",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("field", String(32), primary_key=True),
    Column("value", Json),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
)

criteria = Table(
    "criteria",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("themes", Json, nullable=False),
    Column("regions", Json, nullable=False),
    Column("kinds", Json, nullable=False),
    Column("language", String(16)),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("address_key", Text, unique=True),  # case-folded, domain as A-label; empty after erasure
    Column("email", Text),
    Column("name", Text, nullable=False, default=""),
    Column("language", String(16), nullable=False),
    Column("timezone", Text, nullable=False),
    Column("status", String(16), nullable=False),  # unconfirmed | confirmed | unsubscribed | erased
    Column("created_at", Moment, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("criteria_id", ForeignKey("criteria.id"), nullable=False),
    Column("cadence", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("covered_from", Moment, nullable=False),  # items released from here on are owed
    Column("ended_at", Moment),
    Column("end_reason", Text),
)
Index(
    "uq_subscriptions_active",
    subscriptions.c.subscriber_id,
    subscriptions.c.criteria_id,
    subscriptions.c.cadence,
    unique=True,
    sqlite_where=subscriptions.c.ended_at.is_(None),
    postgresql_where=subscriptions.c.ended_at.is_(None),
)
Index("ix_subscriptions_cadence", subscriptions.c.cadence, subscriptions.c.subscriber_id)

consents = Table(
    "consents",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("what", String(32), nullable=False),  # imported | confirmed | unsubscribed | suppressed | erased
    Column("how", Text, nullable=False),
    Column("wording", Text, nullable=False, default=""),  # version of the text that was agreed to
    Column("language", String(16), nullable=False),
    Column("actor", Text, nullable=False),  # subscriber | staff:<name> | import | system
    Index(None, "subscriber_id"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address_hash", String(64), primary_key=True),  # keyed, so that it says nothing without the secret
    Column("reason", String(32), nullable=False),  # bounce | complaint | erased | staff
    Column("at", Moment, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id")),
    Index(None, "subscriber_id"),
)

digests = Table(
    "digests",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),  # what link tokens name it by; never reused
    Column("position", Integer, nullable=False),
    Column("settings", Json, nullable=False),  # the [[digests]] entry as written
    Column("ended_at", Moment),
)

editions = Table(
    "editions",
    metadata,
    Column("id", String(96), primary_key=True),  # weekly-2026-11-23
    Column("digest_id", ForeignKey("digests.id"), nullable=False),
    Column("window_start", Moment, nullable=False),  # half-open: [start, end)
    Column("window_end", Moment, nullable=False),
    Column("reach_start", Moment, nullable=False),  # oldest release frozen, for those who are owed more
    Column("opened_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),  # open | approved | planned | done | skipped | cancelled
    Column("outcome", Text),  # for people: why it was skipped, is held …
    Column("content_hash", String(64), nullable=False),
    Column("approved_hash", String(64)),
    Column("approved_by", Text),
    Column("approved_at", Moment),
    Column("planned_at", Moment),
    Column("paused_at", Moment),
    Column("retry_at", Moment),  # the relay could not be used: the service does not try again before
    Column("done_at", Moment),
    UniqueConstraint("digest_id", "window_start"),
    Index(None, "state"),
)

edition_items = Table(
    "edition_items",
    metadata,
    Column("edition_id", ForeignKey("editions.id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # its bit in a variant's mask
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("released_at", Moment, nullable=False),
    Column("frozen", Json, nullable=False),  # the item as it was when the edition opened
    UniqueConstraint("edition_id", "item_id"),
)

variants = Table(
    "variants",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("edition_id", ForeignKey("editions.id"), nullable=False),
    Column("language", String(16), nullable=False),
    Column("mask", LargeBinary, nullable=False),  # big-endian bit set over edition_items.position
    Column("uid", String(32), nullable=False, unique=True),  # its page is /editions/{edition}/{uid}
    Column("frame", LargeBinary),  # compressed: the message without its per-person parts
    Column("page", LargeBinary),  # compressed: the same text as a web page
    Column("error", Text),  # why it could not be rendered; its deliveries wait
    UniqueConstraint("edition_id", "language", "mask"),
)

Index(
    "ix_variants_unrendered",
    variants.c.edition_id,
    sqlite_where=variants.c.frame.is_(None),
    postgresql_where=variants.c.frame.is_(None),
)

DeliveryState = Literal["planned", "deferred", "uncertain"]
"""The states that have an index of their own."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True),
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
    Column("id", _Id, primary_key=True),  # the fencing token: a later one is greater, and none comes twice
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
