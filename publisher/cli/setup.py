"""Set-up: init, apply, export, db, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from publisher.cli.output import Json, remark, say, say_json
from publisher.cli.settling import accept_restore


def register(cli: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (init, apply, export, doctor):
        cli.command()(command)
    database = typer.Typer(help="The database.", no_args_is_help=True)
    database.command("upgrade")(upgrade)
    database.command("accept-restore")(accept_restore)
    cli.add_typer(database, name="db")


def init(directory: Annotated[Path, typer.Argument(help="Where to write; made if it is not there.")]) -> None:
    """Begin a deployment. Writes a commented publisher.toml, newsroom.toml and the secret for link tokens."""
    from publisher.usecases.init import write_starter

    for path, is_new in write_starter(directory):
        say(f"wrote  {path}" if is_new else f"kept   {path} (it was there)")
    config, newsroom = directory / "publisher.toml", directory / "newsroom.toml"
    remark(f"Next: edit both files, then run: publisher --config {config} apply {newsroom}")


def apply(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A newsroom file: sources, themes, regions, digests.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, change nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="End what the file does not name.")] = False,
    as_json: Json = False,
) -> None:
    """Make the newsroom as FILE says. Shows what differs in sources, themes, regions and digests."""
    from publisher.app import open_app
    from publisher.usecases.newsroom import apply as apply_newsroom
    from publisher.usecases.newsroom import read_newsroom_file

    differences = apply_newsroom(
        open_app(context.obj), read_newsroom_file(file), name=str(file), is_dry_run=dry_run, prunes=prune
    )
    if as_json:
        say_json(
            [{"action": one.action, "kind": one.kind, "id": one.id, "details": one.details} for one in differences]
        )
        return
    for one in differences:
        say(f"{one.action:<7} {one.kind[:-1]} {one.id}" if one.id else f"{one.action:<7} {one.kind}")
        for detail in one.details:
            say(f"          {detail}")
    remark(_summary(len(differences), is_dry_run=dry_run))


def export(context: typer.Context) -> None:
    """Print the newsroom as a file that apply reads. It holds sources, themes, regions and digests."""
    from publisher.app import open_app
    from publisher.usecases.newsroom import export as export_newsroom

    typer.echo(export_newsroom(open_app(context.obj)), nl=False)


def upgrade(context: typer.Context) -> None:
    """Migrate the database to the schema of this release."""
    from publisher.app import upgrade_database

    say(f"The database is at schema {upgrade_database(context.obj)}.")


def doctor(
    context: typer.Context,
    *,
    failpoints: Annotated[bool, typer.Option("--failpoints", help="List where tests can end the process.")] = False,
    as_json: Json = False,
) -> None:
    """Say what is wrong with this deployment.

    Checks configuration, database, sources, digests, templates, DKIM, SMTP server and DNS. Changes nothing.
    """
    from publisher.failpoints import NAMES

    if failpoints:
        if as_json:
            say_json(NAMES)
        else:
            say("\n".join(f"{name:<22} {text}" for name, text in NAMES.items()))
        return
    from publisher.usecases.doctor import examine

    findings = examine(context.obj)
    if as_json:
        say_json([{"subject": one.subject, "is_well": one.is_well, "text": one.text} for one in findings])
    else:
        for one in findings:
            say(f"{'ok  ' if one.is_well else 'BAD '} {one.subject}: {one.text}")
    if not all(one.is_well for one in findings):
        raise typer.Exit(1)


def _summary(count: int, *, is_dry_run: bool) -> str:
    if not count:
        return "Nothing differs."
    changes = "1 difference" if count == 1 else f"{count} differences"
    return f"{changes}, nothing changed (dry run)." if is_dry_run else f"{changes} applied."
