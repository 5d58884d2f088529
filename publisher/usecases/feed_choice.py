"""The form of the directory answered: what was searched and ticked, and the feeds that it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feeds.criteria import Criteria
from feeds.model import KINDS, Label
from feeds.paths import ALL_LANGUAGES, ROOT, page_path_of
from feeds.search import Names, find_feeds
from publisher import i18n
from publisher.app import App
from publisher.config_types import INTERFACE_LANGUAGES
from publisher.i18n import kind_name
from publisher.mail.cleaning import cut, one_line
from publisher.store.feed_counts import count_items
from publisher.usecases.feed_cards import (
    Addresses,
    list_addresses,
    make_tally,
    name_feed,
    page_language,
    relative_path,
    say_language,
    say_rate,
)
from publisher.usecases.feed_directory import list_choices, make_directory, render_directory
from publisher.usecases.feeds import Catalogue

PATH = f"{ROOT}find"

_TEXT_CHARACTERS = 100
_FOUND_MAX = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person asked the directory for."""

    text: str
    criteria: Criteria


@dataclass(frozen=True, slots=True)
class Card:
    """One feed found."""

    name: str
    href: str
    in_language: str
    rate: str
    addresses: Addresses


def read_choice(fields: Sequence[tuple[str, str]], catalogue: Catalogue) -> Choice | None:
    """What the fields of the form say; None where they name what does not exist. Empty fields stand for everything."""
    values: dict[str, list[str]] = {"q": [], "language": [], "theme": [], "region": [], "kind": []}
    for name, value in fields:
        if name in values and value:
            values[name].append(value)
    languages = [language for language in values["language"] if language != ALL_LANGUAGES]
    known = catalogue.known
    codes = {"language": known.languages, "theme": known.themes, "region": known.regions, "kind": known.kinds}
    if any(value not in codes[name] and value != ALL_LANGUAGES for name in codes for value in values[name]):
        return None
    criteria = Criteria.of(
        values["theme"], values["region"], kinds=values["kind"], language=languages[0] if languages else None
    )
    return Choice(cut(one_line(" ".join(values["q"])), _TEXT_CHARACTERS), criteria)


def answer_choice(app: App, catalogue: Catalogue, choice: Choice) -> bytes:
    """The page of the directory with the feeds that the choice means, and the form as it was filled in."""
    found = _find(catalogue, choice)
    site, language = app.config.site, choice.criteria.language
    return render_directory(
        site,
        make_directory(site, catalogue, language=language, root="./"),
        choices=list_choices(catalogue, language),
        answer=_make_cards(app, catalogue, found),
        chosen=choice.criteria,
        text=choice.text,
    )


def _find(catalogue: Catalogue, choice: Choice) -> list[Criteria]:
    """The feeds of the text together with what was ticked; what was ticked alone where there is no text."""
    if not choice.text:
        return [choice.criteria]
    themes, regions = (_names(labels) for labels in (catalogue.themes, catalogue.regions))
    found = find_feeds(choice.text, themes=themes, regions=regions, kinds=_names(_kind_labels()))
    return list(dict.fromkeys(_join(choice.criteria, one) for one in found))[:_FOUND_MAX]


def _join(ticked: Criteria, found: Criteria) -> Criteria:
    return Criteria.of(
        ticked.themes + found.themes,
        ticked.regions + found.regions,
        kinds=ticked.kinds + found.kinds,
        language=ticked.language,
    )


def _names(labels: Sequence[Label]) -> Names:
    return {label.id: tuple(label.title.values()) for label in labels}


def _kind_labels() -> list[Label]:
    interfaces: Mapping[str, i18n.Interface] = {code: i18n.translator(code) for code in INTERFACE_LANGUAGES}
    return [Label(kind, {code: kind_name(interfaces[code], kind) for code in interfaces}) for kind in KINDS]


def _make_cards(app: App, catalogue: Catalogue, found: Sequence[Criteria]) -> list[Card]:
    tally = make_tally(app, catalogue)
    with app.database.read() as tx:
        counts = [count_items(tx, criteria, period=tally.period) if tally else 0 for criteria in found]
    return [
        _make_card(app, catalogue, criteria=criteria, rate=say_rate(_interface(catalogue, criteria), count, tally))
        for criteria, count in zip(found, counts, strict=True)
    ]


def _make_card(app: App, catalogue: Catalogue, *, criteria: Criteria, rate: str) -> Card:
    interface = _interface(catalogue, criteria)
    return Card(
        name=name_feed(catalogue, criteria, interface=interface),
        href=relative_path(page_path_of(criteria), "./"),
        in_language=say_language(interface, criteria.language),
        rate=rate,
        addresses=list_addresses(app.config.site, criteria, interface=interface),
    )


def _interface(catalogue: Catalogue, criteria: Criteria) -> i18n.Interface:
    return i18n.translator(page_language(catalogue, criteria))
