"""Whether an edition is ready to be sent, found out without the network and without changing anything."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from publisher.app import App
from publisher.errors import PublisherError, RenderError
from publisher.mail.compose import compose_frame
from publisher.mail.dkim import load_signer
from publisher.mail.render import AIM_BYTES, REFUSE_BYTES
from publisher.store import editions as store
from publisher.store.editions import Edition
from publisher.store.newsroom import read_digest
from publisher.usecases.content import content_hash, read_content
from publisher.usecases.doctor import Finding
from publisher.usecases.planning import Foreseen, foresee
from publisher.usecases.rendering import EditionRenderer, make_headers
from publisher.usecases.restoring import check_epoch
from subscribers.schedule import expires_at

WARN_BYTES = 90 * 1024
"""Gmail clips at 102 KB, and the unsubscribe link goes first."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class EditionCheck:
    """What was found, and who gets the edition."""

    edition: str
    findings: list[Finding]
    readers: int
    languages: dict[str, int]
    """Readers by language."""
    variants: list[Foreseen]
    """The most read first; variants without readers are for the public archive."""
    largest_html_bytes: int

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands in the way."""
        return all(one.is_well for one in self.findings)


def check_edition(app: App, edition_id: str, *, start: Callable[[int], Progress] | None = None) -> EditionCheck:
    """Look at approval, texts, sizes, signing and readers; NotFoundError where there is no such edition.

    Renders every variant that somebody reads, which takes its time; ``start`` is told how many there are.
    """
    with app.database.read() as tx:
        edition = store.read_edition(tx, edition_id)
    variants = foresee(app, edition_id)
    texts = _Texts(app, edition)
    is_read = [one for one in variants if one.readers]
    progress = start(len(is_read)) if start else _ignore
    for variant in is_read:
        texts.render(variant)
        progress(1)
    languages = Counter[str]()
    for variant in variants:
        languages[variant.language] += variant.readers
    readers = languages.total()
    findings = [*_examine(app, edition), _check_readers(readers), texts.check_rendering(), texts.check_size()]
    return EditionCheck(edition_id, findings, readers, dict(languages), variants, texts.largest_bytes)


class _Texts:
    """Renders variants, and keeps the errors and the largest size."""

    def __init__(self, app: App, edition: Edition) -> None:
        self._renderer = EditionRenderer(app, edition.id)
        with app.database.read() as tx:
            self._digest = read_digest(tx, edition.digest_id).digest
        self._config = app.config
        self._count = 0
        self._errors: list[str] = []
        self.largest_bytes = 0

    def render(self, variant: Foreseen) -> None:
        self._count += 1
        try:
            rendered = self._renderer.render(variant.language, mask=variant.mask)
            edition, language = self._renderer.edition, variant.language
            compose_frame(rendered, make_headers(self._config, edition, self._digest, language=language))
        except RenderError as error:
            self._errors.append(str(error))
        else:
            self.largest_bytes = max(self.largest_bytes, len(rendered.html.encode()))

    def check_rendering(self) -> Finding:
        if self._errors:
            text = f"{len(self._errors)} of {self._count} variants cannot be rendered: {self._errors[0]}"
            return Finding("texts", is_well=False, text=text)
        return Finding("texts", is_well=True, text=f"{self._count} variants can be rendered")

    def check_size(self) -> Finding:
        limits = f"aim {AIM_BYTES // 1024} KB, warning {WARN_BYTES // 1024} KB, limit {REFUSE_BYTES // 1024} KB"
        text = f"the largest HTML part has {self.largest_bytes / 1024:.1f} KB ({limits})"
        if self.largest_bytes > WARN_BYTES:
            text += ". Shorten the edition, or mailbox providers will clip it"
        return Finding("size", is_well=self.largest_bytes <= WARN_BYTES, text=text)


def _examine(app: App, edition: Edition) -> Iterator[Finding]:
    checks: tuple[tuple[str, Callable[[App, Edition], str]], ...] = (
        ("state", _check_state),
        ("approval", _check_approval),
        ("age", _check_age),
        ("dkim", _check_dkim),
        ("recipients", _check_only_to),
        ("relay log", _check_mail_log),
        ("database", _check_database),
    )
    for subject, check in checks:
        try:
            yield Finding(subject, is_well=True, text=check(app, edition))
        except PublisherError as error:
            yield Finding(subject, is_well=False, text=str(error))


def _check_state(_app: App, edition: Edition) -> str:
    if edition.state not in ("open", "approved", "planned"):
        raise PublisherError(f"{edition.state}: {edition.outcome or 'nothing more is sent of it'}")
    if edition.paused_at is not None:
        raise PublisherError(f"{edition.outcome or 'held'}. To go on: publisher digest resume {edition.id}")
    return edition.state


def _check_approval(app: App, edition: Edition) -> str:
    with app.database.read() as tx:
        items = [one.item for one in store.read_frozen_items(tx, edition.id)]
        current = content_hash(app, read_content(tx, edition.digest_id, items))
    remedy = f"publisher digest preview {edition.id}, then: publisher digest approve {edition.id}"
    if edition.approved_hash is None:
        raise PublisherError(f"nobody has approved it. Look at it with: {remedy}")
    if edition.approved_hash != current:
        raise PublisherError(f"it changed since {edition.approved_by} approved it. Look at it with: {remedy}")
    return f"approved by {edition.approved_by}"


def _check_age(app: App, edition: Edition) -> str:
    with app.database.read() as tx:
        expiry = expires_at(read_digest(tx, edition.digest_id).digest, edition.window_end)
    if app.clock() >= expiry:
        raise PublisherError(f"the next edition was due at {_say(app, expiry)}; this one would only expire")
    return f"may be sent until {_say(app, expiry)}"


def _say(app: App, moment: datetime) -> str:
    """By the clock of the site."""
    zone = app.config.site.zone
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def _check_dkim(app: App, _edition: Edition) -> str:
    dkim = app.config.dkim
    if dkim is None:
        return "messages are not signed here"
    return "signs as " + ", ".join(one.place for one in load_signer(dkim).identities)


def _check_only_to(app: App, _edition: Edition) -> str:
    patterns = app.config.mail.only_to
    if patterns is None:
        return "everybody gets it"
    if not patterns:
        raise PublisherError("mail.only_to is empty: nobody gets mail. Name addresses, or take it out")
    return f"only who fits mail.only_to: {', '.join(patterns)}; all others are withheld for good"


def _check_mail_log(app: App, _edition: Edition) -> str:
    path = app.config.smtp.mail_log
    if path is None:
        return "none; after a crash, what was in flight stays uncertain"
    if not os.access(path, os.R_OK):
        raise PublisherError(f"smtp.mail_log: {path} cannot be read. Mend its permissions, or name another")
    return str(path)


def _check_database(app: App, _edition: Edition) -> str:
    check_epoch(app)
    return "not restored from a copy since the last sending run"


def _check_readers(readers: int) -> Finding:
    text = f"{readers} people have something to read in it"
    return Finding("readers", is_well=readers > 0, text=text if readers else "nobody has anything to read in it")


def _ignore(_done: int) -> None:
    """No progress is wanted."""
