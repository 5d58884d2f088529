"""Subscribers: import, export, show, erase."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from publisher.cli.output import Json, complain, progress_bar, remark, say, say_json

if TYPE_CHECKING:
    from publisher.usecases.subscribers import ImportReport

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="In any spelling.")]


def register(cli: typer.Typer) -> None:
    """Add the commands of this file."""
    people = typer.Typer(help="Who gets what.", no_args_is_help=True)
    commands = (("import", import_), ("export", export), ("show", show), ("feed", feed), ("erase", erase))
    for name, command in commands:
        people.command(name)(command)
    cli.add_typer(people, name="subscribers")


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV file; its columns are named in docs/subscribers.md.")],
    *,
    as_json: Json = False,
) -> None:
    """Add subscribers and subscriptions from a CSV file.

    Good lines go in, bad lines are reported by number. An import never restores a right that somebody gave up.
    """
    from publisher.app import open_app
    from publisher.errors import ConfigError
    from publisher.usecases.subscribers import import_subscribers, read_lines

    app = open_app(context.obj)
    try:
        with file.open("rb") as lines, progress_bar("lines") as start:
            report = import_subscribers(app, read_lines(lines), actor="import", progress=_steps(start(None)))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    for problem in report.problems:
        complain(f"{file}:{problem.line}: {problem.text}")
    _tell(report, as_json=as_json)
    if report.problems:
        raise typer.Exit(1)


def export(context: typer.Context) -> None:
    """Print all subscribers as CSV, in the columns that import reads."""
    from publisher.app import open_app
    from publisher.usecases.subscribers import export_subscribers

    for line in export_subscribers(open_app(context.obj)):
        typer.echo(line, nl=False)


def show(context: typer.Context, address: Address, *, as_json: Json = False) -> None:
    """Show everything that is kept about a person."""
    from publisher.app import open_app
    from publisher.usecases.subscribers import show_subscriber

    record = show_subscriber(open_app(context.obj), address)
    if as_json:
        say_json(record.to_json())
        return
    person = record.subscriber
    say(f"{person.email} {person.name} ({person.language}, {person.timezone}): {person.status}")
    if record.suppression:
        say(f"  suppressed since {record.suppression.at:%Y-%m-%d}: {record.suppression.reason}")
    for one in record.subscriptions:
        state = "active" if one.is_active else f"ended: {one.end_reason}"
        say(f"  subscription {one.cadence} {one.criteria.text} ({state})")
    for event in record.consents:
        say(f"  {event.at:%Y-%m-%d %H:%M} {event.what} by {event.actor}: {event.how}")
    for created_at, revoked_at in record.personal_feeds:
        say(f"  {created_at:%Y-%m-%d %H:%M} personal feed" + (f", until {revoked_at:%Y-%m-%d}" if revoked_at else ""))
    for edition, state in record.deliveries:
        say(f"  {edition}: {state}")


def feed(
    context: typer.Context,
    address: Address,
    *,
    is_revoked: Annotated[bool, typer.Option("--revoke", help="Take the address of the feed away.")] = False,
    as_json: Json = False,
) -> None:
    """Give a person a feed of their own mix. The address is shown once; an earlier one leads nowhere any more."""
    from publisher.app import open_app
    from publisher.usecases.personal_feeds import issue_feed, revoke_feed

    app = open_app(context.obj)
    if is_revoked:
        revoke_feed(app, address)
        remark("The feed's address leads nowhere any more.")
        return
    urls = issue_feed(app, address)
    if as_json:
        say_json(urls)
        return
    for url in urls.values():
        say(url)
    remark("Who has this address can read the feed. It is not kept here: to see one again, issue a new one.")


def erase(
    context: typer.Context,
    address: Address,
    *,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a person. Takes everything personal out of the database, for good."""
    from publisher.app import open_app
    from publisher.usecases.subscribers import erase_subscriber

    app = open_app(context.obj)
    if not is_sure:
        typer.confirm(f"Erase everything about {address}? This cannot be undone", abort=True)
    erase_subscriber(app, address, actor="staff:cli")
    say("Erased. A keyed hash stays, so that the address is never mailed again.")


def _tell(report: "ImportReport", *, as_json: bool) -> None:
    counts = {"added": report.added, "updated": report.updated, "unchanged": report.unchanged}
    if as_json:
        problems = [{"line": one.line, "text": one.text} for one in report.problems]
        say_json(counts | {"held_back": report.held_back, "problems": problems})
        return
    say(", ".join(f"{count} {name}" for name, count in counts.items()) + f", {len(report.problems)} problems")
    if report.held_back:
        remark(f"{report.held_back} lines say confirmed of people who are not, and stay so.")


def _steps(advance: Callable[[int], None]) -> Callable[[int], None]:
    """From "so many lines are done" to "so many more"."""
    done = 0

    def reach(line: int) -> None:
        nonlocal done
        advance(line - done)
        done = line

    return reach
