"""Who asked for which items: bit masks for planning, and the rules behind them for people."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.criteria import Criteria
from feeds.model import GENERAL, GLOBAL, Item
from subscribers.model import Subscription


@dataclass(frozen=True, slots=True)
class Rule:
    """Why an item is included or excluded: a rule by name, with the codes it looked at."""

    name: str
    """Including: theme, any-theme, region, any-region, global. Excluding: other-theme, general, other-region,
    no-region, other-kind, other-language, before-coverage, ended."""
    codes: tuple[str, ...] = ()
    """The chosen codes that were met, else those of the item that were not chosen."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one subscription makes of one item."""

    subscription: Subscription
    is_included: bool
    rules: tuple[Rule, ...]
    """All rules that include it, or all that exclude it."""


def criteria_masks(items: Sequence[Item], criteria: Iterable[tuple[int, Criteria]]) -> Iterator[tuple[int, bytes]]:
    """Per id the big-endian bit set of the items that meet its criteria: the item at position p is bit p.

    All masks have ⌈items / 8⌉ bytes. Equal to ``Criteria.is_met_by`` item by item, in a few steps per criteria.
    """
    axes = _index(items)
    size = (len(items) + 7) // 8
    for key, wanted in criteria:
        yield key, _mask(axes, wanted).to_bytes(size)


def mask_items(mask: bytes) -> list[int]:
    """The positions of the items in a mask, ascending."""
    bits = int.from_bytes(mask)
    return [position for position in range(bits.bit_length()) if bits >> position & 1]


def explain(item: Item, subscriptions: Iterable[Subscription], *, released_at: datetime) -> list[Explanation]:
    """For each subscription whether the item is in it, and by which rules."""
    return [_explain_one(item, subscription, released_at) for subscription in subscriptions]


@dataclass(frozen=True, slots=True)
class _Axes:
    """The items as bit sets: all, and those of each theme, region, kind and language."""

    everything: int
    themes: Mapping[str, int]
    regions: Mapping[str, int]
    kinds: Mapping[str, int]
    languages: Mapping[str, int]


def _index(items: Sequence[Item]) -> _Axes:
    return _Axes(
        everything=(1 << len(items)) - 1,
        themes=_bits_per_code(item.classification.themes for item in items),
        regions=_bits_per_code(item.classification.regions for item in items),
        kinds=_bits_per_code((item.classification.kind,) for item in items),
        languages=_bits_per_code((_language(item),) for item in items),
    )


def _bits_per_code(codes_of_items: Iterable[Sequence[str]]) -> dict[str, int]:
    bits: dict[str, int] = defaultdict(int)
    for position, codes in enumerate(codes_of_items):
        for code in codes:
            bits[code] |= 1 << position
    return bits


def _mask(axes: _Axes, wanted: Criteria) -> int:
    bits = axes.everything
    if wanted.themes:
        bits &= _union(axes.themes, wanted.themes)
    if wanted.regions:
        bits &= _union(axes.regions, (GLOBAL, *wanted.regions))
    if wanted.kinds:
        bits &= _union(axes.kinds, wanted.kinds)
    if wanted.language:
        bits &= axes.languages.get(wanted.language, 0)
    return bits


def _union(masks: Mapping[str, int], codes: Iterable[str]) -> int:
    bits = 0
    for code in codes:
        bits |= masks.get(code, 0)
    return bits


def _language(item: Item) -> str:
    return item.language.partition("-")[0]


def _explain_one(item: Item, subscription: Subscription, released_at: datetime) -> Explanation:
    judged = [
        _judge_theme(item, subscription.criteria),
        _judge_region(item, subscription.criteria),
        *_judge_rest(item, subscription, released_at),
    ]
    against = tuple(rule for is_for, rule in judged if not is_for)
    return Explanation(subscription, not against, against or tuple(rule for _, rule in judged))


def _judge_theme(item: Item, wanted: Criteria) -> tuple[bool, Rule]:
    themes = item.classification.themes
    if not wanted.themes:
        return True, Rule("any-theme")
    met = tuple(theme for theme in themes if theme in wanted.themes)
    if met:
        return True, Rule("theme", met)
    return False, Rule("general" if themes == (GENERAL,) else "other-theme", themes)


def _judge_region(item: Item, wanted: Criteria) -> tuple[bool, Rule]:
    regions = item.classification.regions
    if not wanted.regions:
        return True, Rule("any-region")
    met = tuple(region for region in regions if region in wanted.regions)
    if met:
        return True, Rule("region", met)
    if GLOBAL in regions:
        return True, Rule("global")
    return False, Rule("other-region", regions) if regions else Rule("no-region")


def _judge_rest(item: Item, subscription: Subscription, released_at: datetime) -> Iterator[tuple[bool, Rule]]:
    wanted, kind = subscription.criteria, item.classification.kind
    if wanted.kinds and kind not in wanted.kinds:
        yield False, Rule("other-kind", (kind,))
    if wanted.language and wanted.language != _language(item):
        yield False, Rule("other-language", (_language(item),))
    if released_at < subscription.covered_from:
        yield False, Rule("before-coverage")
    if not subscription.is_active:
        yield False, Rule("ended")
