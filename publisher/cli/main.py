"""All commands, and the table that turns errors into exit codes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from publisher.cli import collecting, digests, people, service, setup
from publisher.cli.output import complain
from publisher.errors import ConfigError, NotFoundError, PublisherError, SenderBusyError, StateError

EXIT_FAILED = 1
EXIT_USAGE = 2

USAGE_ERRORS = (ConfigError, NotFoundError, StateError, SenderBusyError)
"""What the person at the keyboard can mend; everything else that is ours is work that failed."""

cli = typer.Typer(
    name="publisher",
    help="Collect an organisation's news per theme, publish feeds, mail digests.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its import takes longer than all the rest of --help
    pretty_exceptions_enable=False,
)

for part in (setup, collecting, people, digests, service):
    part.register(cli)


@cli.callback()
def options(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The configuration file.", show_default=True)] = Path("publisher.toml"),
) -> None:
    """Remember what holds for every command."""
    context.obj = config


def main() -> None:
    """Run a command; errors that are ours become one clear text and an exit code."""
    try:
        cli()
    except PublisherError as error:
        complain(str(error))
        sys.exit(EXIT_USAGE if isinstance(error, USAGE_ERRORS) else EXIT_FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FAILED)
    except OSError as error:
        if error.filename is None:
            raise
        complain(f"{error.filename}: {error.strerror}. Name another path, or mend its permissions")
        sys.exit(EXIT_USAGE)
