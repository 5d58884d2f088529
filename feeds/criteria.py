"""Criteria: which items a feed or a subscription asks for, with one canonical form."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from feeds.model import Item, is_reached


@dataclass(frozen=True, slots=True)
class Criteria:
    """Sets over theme, region, kind and language. An empty set stands for ``*``: everything.

    Build it with ``Criteria.of``, which sorts and deduplicates, so that equal wishes are equal values.
    """

    themes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    language: str | None = None

    @classmethod
    def of(
        cls,
        themes: Iterable[str] = (),
        regions: Iterable[str] = (),
        *,
        kinds: Iterable[str] = (),
        language: str | None = None,
    ) -> Self:
        """The canonical criteria of these wishes; ``*`` among the values of an axis takes the whole axis."""
        return cls(_canonical(themes), _canonical(regions), _canonical(kinds), language)

    @property
    def text(self) -> str:
        """The canonical form, readable: ``theme=asylum;border-visa&region=*&kind=*&language=fr``."""
        parts = (("theme", self.themes), ("region", self.regions), ("kind", self.kinds))
        axes = [f"{name}={';'.join(values) or '*'}" for name, values in parts]
        return "&".join([*axes, f"language={self.language or '*'}"])

    @property
    def key(self) -> str:
        """A digest of the canonical form, 32 hexadecimal characters."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    def is_met_by(self, item: Item) -> bool:
        """Whether the item belongs to what was asked for (design: "Who gets what")."""
        if self.language and item.language.partition("-")[0] != self.language:
            return False
        if self.kinds and item.classification.kind not in self.kinds:
            return False
        return is_reached(item.classification, themes=self.themes, regions=self.regions)


def _canonical(values: Iterable[str]) -> tuple[str, ...]:
    distinct = sorted({value.strip() for value in values} - {""})
    return () if "*" in distinct else tuple(distinct)
