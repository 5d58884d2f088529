"""What compiled feeds depend on."""

from datetime import datetime

from sqlalchemy import Connection, Text, func, select, type_coerce

from publisher.store.schema import corrections, item_versions, items, regions, themes


def read_version(tx: Connection) -> str:
    """A text that differs whenever feeds may differ: an item came, changed or was corrected, or a label changed.

    Counts stand beside moments, because a clock that was set back makes no newer moment.
    """
    changes = select(
        select(func.count()).select_from(items).scalar_subquery(),
        select(func.max(items.c.updated_at)).scalar_subquery(),
        select(func.count()).select_from(item_versions).scalar_subquery(),
        select(func.count()).select_from(corrections).scalar_subquery(),
        select(func.max(corrections.c.at)).scalar_subquery(),
    )
    labels = [
        select(table.c.id, type_coerce(table.c.rule, Text)).order_by(table.c.position) for table in (themes, regions)
    ]
    return repr((tx.execute(changes).one(), *(tx.execute(query).all() for query in labels)))


def find_newest_change(tx: Connection) -> datetime | None:
    """When an item last came or changed."""
    newest: datetime | None = tx.execute(select(func.max(items.c.updated_at))).scalar_one()
    return newest
