"""Statements of every exchange, compiled once: to bind and convert their values takes longer than to run them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Select, Update

Values = Mapping[str, Any]
"""By name of the bound parameter: integers, texts and None, as the driver takes them. Moments are microseconds."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement in the words of one database."""

    text: str
    order: Sequence[str] | None
    """Names of the parameters by place; None where the driver takes them by name."""
    constants: Values

    def bind(self, values: Values) -> Any:  # Any: what the driver takes
        given = {**self.constants, **values}
        return given if self.order is None else tuple([given[name] for name in self.order])


class Prepared:
    """A statement whose values and rows are not converted: parameters and columns are of plain types."""

    def __init__(self, statement: Select[Any] | Update) -> None:
        self._statement = statement
        self._texts: dict[str, _Text] = {}

    def run(self, tx: Connection, values: Values) -> CursorResult[Any]:
        """Run it once."""
        text = self._text(tx)
        return tx.exec_driver_sql(text.text, text.bind(values))

    def run_each(self, tx: Connection, rows: Sequence[Values]) -> None:
        """Run it for each of the rows."""
        text = self._text(tx)
        tx.exec_driver_sql(text.text, [text.bind(values) for values in rows])

    def _text(self, tx: Connection) -> _Text:
        if (known := self._texts.get(tx.dialect.name)) is not None:
            return known
        compiled = self._statement.compile(dialect=tx.dialect)
        text = _Text(str(compiled), getattr(compiled, "positiontup", None), dict(compiled.params))
        self._texts[tx.dialect.name] = text
        return text
