"""Previews: an edition's texts as files, for staff to look at."""

from pathlib import Path

from publisher.app import App
from publisher.usecases.rendering import EditionRenderer


def write_previews(app: App, edition_id: str, directory: Path) -> list[Path]:
    """Write ``EDITION.LANGUAGE.html`` and ``.txt`` with all items of the edition; the paths written."""
    renderer = EditionRenderer(app, edition_id)
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for language in app.config.site.languages:
        rendered = renderer.render(language)
        for ending, text in (("html", rendered.html), ("txt", rendered.text)):
            path = directory / f"{edition_id}.{language}.{ending}"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written
