"""Subscribers: import, export, show, erase."""

from pathlib import Path
from typing import Annotated

import typer

from publisher.cli.output import Json, complain, progress_bar, remark, say, say_json


def register(cli: typer.Typer) -> None:
    """Add the commands of this file."""
    people = typer.Typer(help="Who gets what.", no_args_is_help=True)
    for name, command in (("import", import_), ("export", export), ("show", show), ("erase", erase)):
        people.command(name)(command)
    cli.add_typer(people, name="subscribers")
