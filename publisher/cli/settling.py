"""Before and after sending: is an edition ready, what became of what is in doubt, a database that was restored."""

from typing import TYPE_CHECKING, Annotated

import typer

from publisher.cli.output import Json, progress_bar, remark, say, say_json

if TYPE_CHECKING:
    from publisher.usecases.checking import EditionCheck
    from publisher.usecases.resolving import ResolveResult
    from publisher.usecases.restoring import HeldEdition

EditionName = Annotated[str, typer.Argument(metavar="EDITION", help="e.g. weekly-2026-11-23")]
Addresses = list[str]
SHOWN_VARIANTS = 10


def check(context: typer.Context, edition: EditionName, *, as_json: Json = False) -> None:
    """Say whether an edition is ready, and who gets it.

    Looks at approval, texts, sizes and readers. Changes nothing, asks no network.
    """
    from publisher.app import open_app
    from publisher.usecases.checking import check_edition

    app = open_app(context.obj)
    with progress_bar("variants") as start:
        found = check_edition(app, edition, start=start)
    if as_json:
        say_json(_check_figures(found))
    else:
        _say_check(found)
    if not found.is_ready:
        raise typer.Exit(1)


def resolve(
    context: typer.Context,
    edition: EditionName,
    *,
    sent: Annotated[
        Addresses | None, typer.Option("--sent", metavar="ADDRESS", help="It was sent: so say staff. Or: all")
    ] = None,
    planned: Annotated[
        Addresses | None, typer.Option("--planned", metavar="ADDRESS", help="Send it: so say staff. Or: all")
    ] = None,
    actor: Annotated[str, typer.Option("--as", help="Who does it; recorded.")] = "cli",
    as_json: Json = False,
) -> None:
    """Settle uncertain deliveries. By the relay's log and the digest's policy, or single ones by staff's word."""
    from publisher.app import open_app
    from publisher.usecases.resolving import resolve as resolve_edition
    from publisher.usecases.resolving import settle_by_word

    app = open_app(context.obj)
    if sent and planned:
        raise typer.BadParameter("--sent and --planned are told one after the other")
    if sent:
        result = settle_by_word(app, edition, sent, state="sent", actor=actor)
    elif planned:
        result = settle_by_word(app, edition, planned, state="planned", actor=actor)
    else:
        result = resolve_edition(app, edition)
    _tell(result, as_json=as_json)
    if result.left:
        raise typer.Exit(1)


def accept_restore(
    context: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Send from a restored database again. Every edition that is not done is held and told."""
    from publisher.app import open_app
    from publisher.usecases.restoring import accept_restore as accept
    from publisher.usecases.restoring import list_going

    app = open_app(context.obj)
    held = list_going(app) if dry_run else accept(app)
    if as_json:
        say_json([_held_figures(one) for one in held])
        return
    for one in held:
        say(f"{one.edition:<28} {one.state:<10} {one.undelivered} not delivered by this database")
        if one.resolved:
            _say_settled(one.resolved)
    if dry_run:
        remark("Nothing changed (dry run).")
    elif held:
        remark(
            "All of these are held. Let one go with: publisher digest resume EDITION; or end it: digest cancel EDITION"
        )


def _tell(result: "ResolveResult", *, as_json: bool) -> None:
    if as_json:
        figures = {"edition": result.edition, "settled": result.settled, "uncertain": result.left}
        say_json(figures | {"reasons": result.reasons})
        return
    say(f"{result.edition}: {sum(result.settled.values())} settled, {result.left} uncertain")
    _say_settled(result)
    if result.left:
        remark(f"Where you know who has it: publisher digest resolve {result.edition} --sent ADDRESS")
        remark("Who is to get it: --planned ADDRESS. Everybody: all")


def _say_settled(result: "ResolveResult") -> None:
    for state, count in result.settled.items():
        say(f"  {state:<10} {count}")
    for reason, count in result.reasons.items():
        say(f"  {'uncertain':<10} {count} ({reason})")


def _held_figures(one: "HeldEdition") -> dict[str, object]:
    settled = one.resolved.settled if one.resolved else {}
    left = one.resolved.left if one.resolved else 0
    return {
        "edition": one.edition,
        "state": one.state,
        "undelivered": one.undelivered,
        "settled": settled,
        "uncertain": left,
    }


def _check_figures(found: "EditionCheck") -> dict[str, object]:
    return {
        "edition": found.edition,
        "is_ready": found.is_ready,
        "findings": [{"subject": one.subject, "is_well": one.is_well, "text": one.text} for one in found.findings],
        "readers": found.readers,
        "languages": found.languages,
        "variants": [{"language": one.language, "readers": one.readers} for one in found.variants if one.readers],
        "largest_html_bytes": found.largest_html_bytes,
    }


def _say_check(found: "EditionCheck") -> None:
    for one in found.findings:
        say(f"{'ok  ' if one.is_well else 'BAD '} {one.subject}: {one.text}")
    for language, readers in found.languages.items():
        say(f"  {language:<10} {readers}")
    read = [one for one in found.variants if one.readers]
    for number, variant in enumerate(read[:SHOWN_VARIANTS], start=1):
        read_by = f"{_count(variant.readers, 'reader')}, {_count(variant.items, 'item')}"
        say(f"  variant {number:<3} {variant.language}  {read_by}")
    if len(read) > SHOWN_VARIANTS:
        rest = [variant.readers for variant in read[SHOWN_VARIANTS:]]
        say(f"  {len(rest)} more variants with {_count(sum(rest), 'reader')}")
    say(f"{found.edition} is {'ready' if found.is_ready else 'not ready'}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
