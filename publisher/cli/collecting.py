"""Content: collect, classify, items, feeds."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from publisher.cli.output import Json, complain, progress_bar, remark, say, say_json

ItemId = Annotated[int, typer.Argument(metavar="ID")]


def register(cli: typer.Typer) -> None:
    """Add the commands of this file."""
    cli.command()(collect)
    cli.command()(classify)
    items = typer.Typer(help="What was collected.", invoke_without_command=True)
    items.callback()(list_)
    items.command("show")(show)
    items.command("correct")(correct)
    items.command("withdraw")(withdraw)
    items.command("reinstate")(reinstate)
    cli.add_typer(items, name="items")
    feeds = typer.Typer(help="Feeds as files.", no_args_is_help=True)
    feeds.command("build")(build)
    cli.add_typer(feeds, name="feeds")


def collect(
    context: typer.Context,
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="These now; else what is due.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Collect new items. A source that fails is reported and does not stop the others."""
    from publisher.app import open_app
    from publisher.usecases.collect import collect as collect_sources

    app = open_app(context.obj)
    with progress_bar("sources") as start:
        advance = start(None)
        report = collect_sources(app, sources or None, progress=lambda _source, _total: advance(1))
    if as_json:
        say_json(report.to_json())
    else:
        say(f"{report.new} new, {report.changed} changed, {report.unchanged} unchanged")
        if not report.sources:
            remark("No source is due now. Name sources to collect them all the same.")
        for one in report.sources:
            say(f"  {one.id:<20} {one.status:<13} {one.entries} entries, {one.new} new")
    for one in report.sources:
        if one.error:
            complain(f"{one.id}: {one.error}")
    if report.has_failed:
        raise typer.Exit(1)


def classify(
    file: Annotated[Path | None, typer.Argument(help="JSON lines; standard input where it is not given.")] = None,
) -> None:
    """Classify items given as JSON lines.

    Gives the text that proves each label. Needs no configuration.
    """
    from publisher.classify import classify_lines
    from publisher.errors import ConfigError

    try:
        lines = (file.read_text(encoding="utf-8") if file else sys.stdin.read()).split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file or 'standard input'} cannot be read: {error}") from error
    for line in classify_lines(lines):
        typer.echo(line)


def list_(
    context: typer.Context,
    *,
    theme: Annotated[list[str] | None, typer.Option(help="Of this theme; may be repeated.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Reaching this region; may be repeated.")] = None,
    language: Annotated[str | None, typer.Option(help="In this language.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Dated this day or later.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The newest so many.")] = None,
    as_json: Json = False,
) -> None:
    """List what was collected, the newest first."""
    if context.invoked_subcommand is not None:
        return
    from feeds.criteria import Criteria
    from publisher.app import open_app
    from publisher.usecases.items import list_items

    wanted = Criteria.of(theme or (), region or (), language=language)
    rows = list_items(open_app(context.obj), wanted, since=since.date() if since else None, limit=limit)
    if as_json:
        say_json(rows)
        return
    for row in rows:
        notes = {"first seen": row["date_source"] != "source", "withdrawn": row["withdrawn_at"]}
        said = ", ".join(note for note, is_so in notes.items() if is_so)
        say(f"{row['id']:>6}  {row['date']}  {row['title']}{f' ({said})' if said else ''}")
        say(f"        {', '.join(row['themes'])} · {', '.join(row['regions']) or 'no region'} · {row['url']}")


def show(context: typer.Context, item_id: ItemId, *, as_json: Json = False) -> None:
    """Show one item. With what proves its labels, and what staff corrected."""
    from publisher.app import open_app
    from publisher.usecases.items import show_item

    _print_item(show_item(open_app(context.obj), item_id), as_json=as_json)


def correct(
    context: typer.Context,
    item_id: ItemId,
    field: Annotated[
        str, typer.Argument(help="title, summary, themes, primary_theme, regions, countries, kind or deadline.")
    ],
    value: Annotated[str, typer.Argument(help="Codes split by ; where there are several; a deadline as 2026-12-31.")],
    *,
    actor: Annotated[str, typer.Option("--as", help="Who corrects; recorded.")] = "cli",
    as_json: Json = False,
) -> None:
    """Correct a field of an item. The word of staff wins over rules and sources, and survives collecting again."""
    from publisher.app import open_app
    from publisher.usecases.items import correct_item

    _print_item(correct_item(open_app(context.obj), item_id, field, value=value, actor=actor), as_json=as_json)


def withdraw(
    context: typer.Context,
    item_id: ItemId,
    *,
    reason: Annotated[str, typer.Option(help="For readers, in the language of the item.")] = "",
    as_json: Json = False,
) -> None:
    """Withdraw an item. Feeds say so in its place, and it is not mailed any more.

    Given again, another --reason replaces the first.
    """
    from publisher.app import open_app
    from publisher.usecases.items import withdraw_item

    _print_item(withdraw_item(open_app(context.obj), item_id, reason=reason), as_json=as_json)


def reinstate(context: typer.Context, item_id: ItemId, *, as_json: Json = False) -> None:
    """Take the withdrawal of an item back."""
    from publisher.app import open_app
    from publisher.usecases.items import reinstate_item

    _print_item(reinstate_item(open_app(context.obj), item_id), as_json=as_json)


def build(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Where the tree is written.")],
    *,
    as_json: Json = False,
) -> None:
    """Write all feeds as files. Only files whose bytes changed are touched."""
    from publisher.app import open_app
    from publisher.usecases.feed_tree import build_static

    app = open_app(context.obj)
    with progress_bar("feeds") as start:
        advance, before = start(None), 0

        def tell(done: int, _total: int) -> None:
            nonlocal before
            advance(done - before)
            before = done

        report = build_static(app, directory, on_progress=tell)
    if as_json:
        counts = {"written": report.written, "unchanged": report.unchanged, "removed": report.removed}
        say_json(counts | {"failed": report.failed})
    else:
        figures = f"{len(report.written)} written, {len(report.unchanged)} unchanged, {len(report.removed)} removed"
        remark(f"{directory}: {figures}")
    for name in report.failed:
        complain(f"{name}: could not be rendered; the last good version stays")
    if report.failed:
        raise typer.Exit(1)


def _print_item(row: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        say_json(row)
        return
    for key, value in row.items():
        for number, text in enumerate(_to_lines(value)):
            say(f"{'' if number else key:<16} {text}")


def _to_lines(value: object) -> list[str]:
    """As people read it; what is not there is a dash."""
    match value:
        case list():
            if all(isinstance(one, str) for one in value):
                return ["; ".join(value) or "-"]
            return [" · ".join(str(part) for part in one.values() if part) for one in value] or ["-"]
        case dict():
            return [f"{key}: {'; '.join(_to_lines(one))}" for key, one in value.items()] or ["-"]
        case None | "":
            return ["-"]
        case _:
            return [str(value)]
