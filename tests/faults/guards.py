"""Taking guards of the program out, and breaking it from inside: for negative controls, and in the child only.

Nothing of this is in the product. A guard that is not found where it was is an error, so that a control cannot pass
because it took nothing out.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

GUARDS: dict[str, str] = {
    "unique-key": "deliveries(edition, subscriber) is not unique any more",
    "fence": "statements of the ledger do not ask who holds the claim",
    "consent": "rights are not read again before a message begins",
    "synchronous": "the ledger is written with synchronous=NORMAL",
}


def take_out(name: str) -> None:
    """Do in this process what ``GUARDS`` or ``break-…`` says."""
    actions: dict[str, Callable[[], None]] = {
        "unique-key": lambda: None,  # it is in the database: see drop_unique_key
        "fence": _ignore_fences,
        "consent": _trust_everybody,
        "synchronous": _sync_less,
        "break-after-body": lambda: _break_after_body(is_cancelled=False),
        "cancel-after-body": lambda: _break_after_body(is_cancelled=True),
        "new-template": _change_templates,
    }
    actions[name]()


def drop_unique_key(database: Path) -> None:
    """Rebuild the table without its key."""
    with sqlite3.connect(database) as connection:
        (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'deliveries'").fetchone()
        loose, count = re.subn(r",\s*CONSTRAINT \w+ UNIQUE \(edition_id, subscriber_id\)", "", text)
        if not count:
            raise LookupError("the unique key of deliveries is not where it was")
        connection.executescript(
            f"PRAGMA writable_schema=ON; DROP INDEX IF EXISTS none; "
            f"ALTER TABLE deliveries RENAME TO strict_deliveries; {loose}; "
            "INSERT INTO deliveries SELECT * FROM strict_deliveries; DROP TABLE strict_deliveries;"
        )
    connection.close()


def _ignore_fences() -> None:
    """Turn every question for the fence in a WHERE clause into one that everybody answers."""
    pattern = re.compile(r"(?:(?:\w+\.)?fence|leases\.id) = (\?)")

    @event.listens_for(Engine, "before_cursor_execute", retval=True)
    def loosen(_connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        return pattern.sub(r"(\1 IS NOT NULL OR 1)", statement), parameters


def _trust_everybody() -> None:
    from publisher.usecases import intents  # noqa: PLC0415

    intents._refusal = lambda _standing: None  # type: ignore[attr-defined]


class _LazyConnection(sqlite3.Connection):
    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous=FULL", "synchronous=NORMAL"), *arguments)


def _sync_less() -> None:
    connect = sqlite3.dbapi2.connect

    def connect_lazily(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, **options | {"factory": _LazyConnection})

    sqlite3.dbapi2.connect = sqlite3.connect = connect_lazily  # type: ignore[assignment]


def _break_after_body(*, is_cancelled: bool) -> None:
    """Let the fifth write that ends a body raise, or cancel its task, once the bytes are handed over."""
    transport = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    state = {"left": 5}

    def wrap(real: Callable[..., None], join: Callable[[Any], bytes]) -> Callable[..., None]:
        def write(self: Any, data: Any) -> None:
            ends_body = b"\r\n.\r\n" in join(data)
            real(self, data)
            state["left"] -= ends_body
            if ends_body and state["left"] == 0:
                _strike(is_cancelled=is_cancelled)

        return write

    transport.write = wrap(transport.write, bytes)
    transport.writelines = wrap(transport.writelines, lambda parts: b"".join(bytes(part) for part in parts))


def _strike(*, is_cancelled: bool) -> None:
    task = asyncio.current_task()
    if is_cancelled and task is not None:
        task.cancel()
    else:
        raise RuntimeError("broken by the trial after a body")


def _change_templates() -> None:
    """As a deployment of other templates: every text that is rendered from now on is another."""
    import jinja2  # noqa: PLC0415

    render = jinja2.Template.render
    jinja2.Template.render = lambda self, *a, **k: render(self, *a, **k).replace("Harbour", "Harbor")  # type: ignore[method-assign]
