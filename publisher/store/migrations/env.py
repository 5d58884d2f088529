"""Alembic's entry: runs the migrations on the connection it is handed."""

from typing import Any, Literal

from alembic import context

from publisher.store import schema, schema_dispatch, schema_hubs  # noqa: F401 (their tables join the metadata)
from publisher.store.columns import Json, Moment, metadata


def _render_item(kind: str, value: Any, _context: Any) -> str | Literal[False]:
    """Migrations name the plain types, so that they do not change when ours do."""
    if kind == "type" and isinstance(value, Json | Moment):
        return "sa.Text()" if isinstance(value, Json) else "sa.BigInteger()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_render_item,
    compare_type=False,
)
context.run_migrations()
