"""Digests: open, preview, approve, plan, send, report, why."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from publisher.cli.output import Json, complain, progress_bar, remark, say, say_json
from publisher.cli.settling import check, resolve

if TYPE_CHECKING:
    from publisher.usecases.reports import Figures
    from publisher.usecases.sending import SendResult

EditionName = Annotated[str, typer.Argument(metavar="EDITION", help="e.g. weekly-2026-11-23")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="In any spelling.")]
Actor = Annotated[str, typer.Option("--as", help="Who does it; recorded.")]


def register(cli: typer.Typer) -> None:
    """Add the commands of this file."""
    digest = typer.Typer(help="Editions of digests, step by step.", no_args_is_help=True)
    digest.command("open")(open_)
    digest.command("list")(list_)
    for command in (preview, check, approve, plan, send, report, pause, resume, cancel, resolve):
        digest.command()(command)
    cli.add_typer(digest, name="digest")
    cli.command()(why)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a moment. Use 2026-11-23 or 2026-11-23T08:00:00+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[
    datetime | None, typer.Option(parser=_moment, metavar="TIME", help="ISO 8601; UTC where no zone is given.")
]


def open_(
    context: typer.Context,
    digest: Annotated[str, typer.Argument(help="The digest's id, e.g. weekly")],
    *,
    now: Moment = None,
    since: Moment = None,
    as_json: Json = False,
) -> None:
    """Open an edition and freeze its items. Now, or as if it were --now.

    --since sets where the very first window of a digest begins.
    """
    from publisher.app import open_app
    from publisher.usecases.editions import count_items
    from publisher.usecases.opening import count_backlog, open_edition

    app = open_app(context.obj)
    edition = open_edition(app, digest, cut_off=now, since=since)
    count = count_items(app, edition.id)
    if since and edition.window_start != since:
        remark("--since sets where a digest's very first window begins; this one begins where the last one ended.")
    if as_json:
        window = [edition.window_start.isoformat(), edition.window_end.isoformat()]
        say_json({"edition": edition.id, "window": window, "items": count})
        return
    say(f"{edition.id}: {count} items; {edition.outcome or edition.state}")
    if edition.state == "open":
        remark(f"Next: publisher digest preview {edition.id}")
    elif edition.state == "skipped" and (backlog := count_backlog(app)):
        remark(f"{backlog} items were there when their source was first collected and are in feeds only. To mail such")
        remark('items, write backlog = "digest" into the source before it is first collected.')


def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """List all editions with their outcome, newest first."""
    from publisher.app import open_app
    from publisher.usecases.editions import list_all

    rows = list_all(open_app(context.obj))
    if as_json:
        say_json([{"edition": one.id, "state": one.state, "outcome": one.outcome} for one in rows])
        return
    for one in rows:
        say(f"{one.id:<28} {one.state:<10} {one.outcome or ''}")


def preview(
    context: typer.Context,
    edition: EditionName,
    *,
    directory: Annotated[Path, typer.Option("--to", help="Where to write the files.")] = Path("preview"),
    serve: Annotated[bool, typer.Option("--serve", help="Serve the staff page of the edition until Ctrl-C.")] = False,
) -> None:
    """Write the edition's HTML and text, or serve its page. In each language, as staff see it before approval."""
    from publisher.app import open_app
    from publisher.usecases.previews import write_previews

    app = open_app(context.obj)
    for path in write_previews(app, edition, directory):
        say(str(path))
    if serve:
        from publisher.cli.service import serve_preview

        serve_preview(app, edition)


def approve(context: typer.Context, edition: EditionName, *, actor: Actor = "cli") -> None:
    """Approve the edition's content as it is frozen now."""
    from publisher.app import open_app
    from publisher.usecases.editions import approve as approve_edition

    done = approve_edition(open_app(context.obj), edition, actor=actor)
    say(f"{edition}: approved by {done.approved_by}")
    remark(f"publisher run sends it by itself. By hand, next: publisher digest plan {edition}")


def plan(context: typer.Context, edition: EditionName, *, as_json: Json = False) -> None:
    """Create one delivery for each reader. Who has nothing to read gets none; twice adds nothing."""
    from publisher.app import open_app
    from publisher.usecases.planning import plan as plan_edition
    from publisher.usecases.sending import read_result

    app = open_app(context.obj)
    plan_edition(app, edition)
    result = read_result(app, edition)
    _tell(result, as_json=as_json)
    if result.states.get("planned"):
        remark(f"Next: publisher digest send {edition}")


def send(context: typer.Context, edition: EditionName, *, as_json: Json = False) -> None:
    """Send what is due of a planned edition. Safe to repeat, also after a crash; Ctrl-C ends it cleanly."""
    from publisher.app import open_app
    from publisher.cli.signals import run_until_signal
    from publisher.usecases.sending import send as send_edition

    app = open_app(context.obj)
    with progress_bar(edition) as start:
        result = run_until_signal(lambda stop: send_edition(app, edition, stop=stop, start=start))
    _tell(result, as_json=as_json)
    if not result.is_clean:
        raise typer.Exit(1)


def report(
    context: typer.Context,
    edition: EditionName,
    *,
    deliveries: Annotated[bool, typer.Option("--deliveries", help="One JSON line per delivery.")] = False,
    as_json: Json = False,
) -> None:
    """Count the edition's deliveries, or list them. By state, domain and reply."""
    from publisher.app import open_app
    from publisher.usecases.reports import count_figures, list_deliveries
    from publisher.usecases.sending import read_result

    app = open_app(context.obj)
    result = read_result(app, edition)
    if deliveries:
        for row in list_deliveries(app, edition):
            say_json(row)
    else:
        _tell(result, as_json=as_json, figures=count_figures(app, edition))
    if not result.is_clean:
        raise typer.Exit(1)


def pause(context: typer.Context, edition: EditionName, *, actor: Actor = "cli") -> None:
    """Begin no further message until resume."""
    from publisher.app import open_app
    from publisher.usecases.editions import pause as pause_edition

    pause_edition(open_app(context.obj), edition, actor=actor)
    say(f"{edition}: paused")


def resume(context: typer.Context, edition: EditionName) -> None:
    """End a pause."""
    from publisher.app import open_app
    from publisher.usecases.editions import resume as resume_edition

    resume_edition(open_app(context.obj), edition)
    say(f"{edition}: resumed")


def cancel(context: typer.Context, edition: EditionName, *, actor: Actor = "cli") -> None:
    """Send nothing more of this edition, ever."""
    from publisher.app import open_app
    from publisher.usecases.editions import cancel as cancel_edition

    cancel_edition(open_app(context.obj), edition, actor=actor)
    say(f"{edition}: cancelled")


def why(context: typer.Context, address: Address, edition: EditionName, *, as_json: Json = False) -> None:
    """Say what a person got or did not get, and why. Names the rule for each item of the edition."""
    from dataclasses import asdict

    from publisher.app import open_app
    from publisher.usecases.reports import explain_edition

    found = explain_edition(open_app(context.obj), address, edition)
    if as_json:
        say_json(asdict(found))
        return
    got = f"{sum(item.is_in for item in found.items)} of {len(found.items)} items"
    reply = f" ({found.reply})" if found.reply else ""
    say(f"{found.email} ({found.status}), {found.edition}: {found.delivery}{reply}, {got}")
    for item in found.items:
        say(f"{'+' if item.is_in else '-'} {item.title}")
        say(f"    {'; '.join(item.reasons)}")


def _tell(result: "SendResult", *, as_json: bool, figures: "Figures | None" = None) -> None:
    if result.trouble:
        complain(f"{result.edition}: {result.trouble}. What was not begun waits; run the command again")
    if as_json:
        shown: dict[str, Any] = {"edition": result.edition, "planned": result.planned}
        shown |= {"states": result.states, "variants": result.variants}
        say_json(shown | (_as_values(figures) if figures else {}))
        return
    say(f"{result.edition}: {result.planned} planned in {result.variants} variants")
    for state, count in result.states.items():
        say(f"  {state:<10} {count}")
    if figures:
        _say_figures(figures)
    if result.next_due_at:
        remark(f"Deferred mail is due from {result.next_due_at.astimezone():%H:%M:%S} on. Run the command again then")


def _as_values(figures: "Figures") -> dict[str, Any]:
    return {
        "planned_at": figures.planned_at and figures.planned_at.isoformat(),
        "done_at": figures.done_at and figures.done_at.isoformat(),
        "messages_per_second": figures.messages_per_second,
        "domains": figures.domains,
        "replies": figures.replies,
    }


def _say_figures(figures: "Figures") -> None:
    times = {"planned": figures.planned_at, "done": figures.done_at}
    said = [f"{word} at {at.astimezone():%Y-%m-%d %H:%M:%S}" for word, at in times.items() if at]
    said += [f"{figures.messages_per_second:,} messages/s"] if figures.messages_per_second else []
    if said:
        say(f"  {', '.join(said)}")
    for title, table in (("by domain", figures.domains), ("by reply", figures.replies)):
        width = max((len(name) for name in table), default=0)
        say(title)
        for name, states in table.items():
            say(f"  {name:<{width}}  {', '.join(f'{count} {state}' for state, count in states.items())}")
