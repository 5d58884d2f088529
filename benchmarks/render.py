"""How long a variant takes to render and a message to fill: ``python -m benchmarks.render``."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from feeds.model import Classification, Item, Label
from publisher.mail.compose import compose_frame
from publisher.mail.content import DigestContent
from publisher.mail.frame import PersonParts, fill
from publisher.mail.headers import FixedHeaders, make_feedback_id
from publisher.mail.render import render_variant

ITEMS = 40
WORDS = {
    "en": "the harbour opens early and every bridge stays lit until the last ferry is home again",
    "fr": "le port ouvre tôt et chaque pont reste éclairé jusqu’au retour du dernier bac",
    "ru": "гавань открывается рано и каждый мост освещён пока последний паром не вернётся домой",
}
THEMES = tuple(Label(code, {"en": code.title()}) for code in ("harbours", "bridges", "ferries", "general"))
MOMENT = datetime(2026, 11, 23, 7, tzinfo=UTC)
SITE = "https://news.lantern.example"


PERSON = PersonParts("ana@lantern.example", "Ana Kovač", "A" * 27, "<weekly.1f@lantern.example>")


def main() -> None:
    """Prints milliseconds a variant and microseconds a message, per language."""
    for language in WORDS:
        print(f"{language}: {measure(language)}")


def measure(language: str) -> str:
    """A line of figures; every variant is another mix of items."""
    variants = iter([_content(language, shift=shift) for shift in range(31)])
    rendered = render_variant(next(variants), language)
    frame = compose_frame(rendered, _headers(language))
    render_s = _median(lambda: render_variant(next(variants), language), times=30)
    compose_s = _median(lambda: compose_frame(rendered, _headers(language)), times=30)
    fill_s = _median(lambda: fill(frame, PERSON), times=2_000)
    sizes_kb = [len(octets) / 1024 for octets in (rendered.html.encode(), fill(frame, PERSON))]
    return (
        f"variant of {ITEMS} items {render_s * 1e3:.1f} ms, frame {compose_s * 1e3:.1f} ms, "
        f"fill {fill_s * 1e6:.1f} µs; HTML {sizes_kb[0]:.0f} KB, message {sizes_kb[1]:.0f} KB"
    )


def _median(call: Callable[[], object], *, times: int) -> float:
    found_s = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found_s.append(time.perf_counter() - start)
    return statistics.median(found_s)


def _content(language: str, *, shift: int) -> DigestContent:
    """The variants share most of their items, as those of an edition do."""
    return DigestContent(
        digest=Label("weekly", {"en": "Lantern weekly"}),
        edition_id="weekly-2026-11-23",
        window=(MOMENT.replace(day=16), MOMENT),
        zone=ZoneInfo("Europe/Vienna"),
        items=tuple(_item(number, language) for number in range(shift, shift + ITEMS)),
        themes=THEMES,
        regions=(Label("isles", {"en": "Isles"}),),
        site_name="Lantern Newsroom",
        postal_address="4 Quay Street, 9000 Port Amber",
        base_url=SITE,
        page_url=f"{SITE}/editions/weekly-2026-11-23/4f1c9a",
        archive_url=f"{SITE}/editions/",
        feeds_url=f"{SITE}/feeds/",
    )


def _item(number: int, language: str) -> Item:
    words = (WORDS[language] + " ") * 5
    theme = THEMES[number % len(THEMES)].id
    return Item(
        id=number,
        uid=f"u{number}",
        url=f"https://lantern.example/news/{number}",
        title=f"{' '.join(words.split()[:9])} {number}",
        summary=" ".join(words.split()[:60]),
        language=language,
        day=date(2026, 11, 16 + number % 7),
        date_source="source",
        published_at=MOMENT,
        updated_at=MOMENT,
        classification=Classification(themes=(theme,), primary_theme=theme, regions=("isles",), countries=("CY",)),
    )


def _headers(language: str) -> FixedHeaders:
    return FixedHeaders(
        date=MOMENT,
        sender="Lantern Newsroom <news@lantern.example>",
        list_title="Lantern weekly",
        list_id="weekly.news.lantern.example",
        unsubscribe_prefix=f"{SITE}/u/",
        archive_url=f"{SITE}/editions/",
        help_url="mailto:press@lantern.example",
        feedback_id=make_feedback_id("weekly-2026-11-23", "weekly", language=language, sender="lantern.example"),
    )


if __name__ == "__main__":
    main()
