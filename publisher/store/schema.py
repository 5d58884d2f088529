"""All tables. The unique keys carry the promises of the system: see docs/architecture.md."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from publisher.store.columns import Id, Json, Moment, metadata

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
    Column("id", Id, primary_key=True),
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
    Column("id", Id, primary_key=True),
    Column("identity", Text, nullable=False, unique=True),  # the first key it was known by
    Column("uid", String(32), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("content_html", Text, nullable=False, default=""),
    Column("authors", Json, nullable=False, default=()),  # [name…]
    Column("category", Text, nullable=False, default=""),
    Column("images", Json, nullable=False, default=()),  # [{"url", "media_type", "size_bytes"}…]
    Column("alternates", Json, nullable=False, default=()),  # [{"language", "url", "uid"}…]: as its sources say
    Column("original_id", ForeignKey("items.id")),  # the item that this one translates; empty: an original
    Column("withdrawn_at", Moment),
    Column("withdrawn_reason", Text, nullable=False, default=""),
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
    # Given once and no more; calendars show them as cancelled:
    Column("former_deadline", Date),
    Column("former_event_start", Date),
    Column("former_event_end", Date),
    Column("last_day", Date),  # the latest of all these days: calendars hold what ends last
    Column("announced_version", Integer, nullable=False, default=0),  # up to which the hubs were told
    Column("matches", Json, nullable=False),  # [{"label", "text"}…]
    Index(None, "released_at"),
    Index(None, "published_at"),
    Index(None, "updated_at"),
    Index(None, "last_day"),
    Index(None, "original_id"),
    Index(None, "withdrawn_at"),
)
Index(
    "ix_items_unannounced",
    items.c.id,
    sqlite_where=items.c.announced_version < items.c.version,
    postgresql_where=items.c.announced_version < items.c.version,
)

item_alternates = Table(
    "item_alternates",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("key", Text, primary_key=True),  # of the address where it stands in another language
    Index(None, "key"),
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

feed_archives = Table(
    "feed_archives",
    metadata,
    Column("feed", Text, primary_key=True),  # its name: feeds/fr/theme/asylum
    Column("number", Integer, primary_key=True),
    Column("closed_at", Moment, nullable=False),
    # The last change that it holds, as (items.updated_at, items.id): the next archive begins behind it.
    Column("until_at", Moment, nullable=False),
    Column("until_id", BigInteger, nullable=False),
    Column("head", Json, nullable=False),  # what the document says of itself, as it was then
    Column("entries", Json, nullable=False),  # [[item, version]…] in the order of the document
)

feed_problems = Table(
    "feed_problems",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("problem", Text, nullable=False),  # why its last good version stays
)

retired_labels = Table(
    "retired_labels",
    metadata,
    Column("axis", String(16), primary_key=True),  # theme | region
    Column("id", String(64), primary_key=True),
    Column("title", Json, nullable=False),
    Column("successor", String(64)),  # a code of the same axis
    Column("ended_at", Moment, nullable=False),
)

criteria = Table(
    "criteria",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("themes", Json, nullable=False),
    Column("regions", Json, nullable=False),
    Column("kinds", Json, nullable=False),
    Column("language", String(16)),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Id, primary_key=True),
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
    Column("id", Id, primary_key=True),
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
    Column("id", Id, primary_key=True),
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
    Column("id", Id, primary_key=True),
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

personal_feeds = Table(
    "personal_feeds",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)
Index(
    "uq_personal_feeds_active",
    personal_feeds.c.subscriber_id,
    unique=True,
    sqlite_where=personal_feeds.c.revoked_at.is_(None),
    postgresql_where=personal_feeds.c.revoked_at.is_(None),
)
Index("ix_personal_feeds_subscriber_id", personal_feeds.c.subscriber_id)
