"""Content: collect, classify, items, feeds."""


import typer


def register(cli: typer.Typer) -> None:
    """Add the commands of this file."""
    cli.command()(collect)
    cli.command()(classify)
    items = typer.Typer(help="What was collected.", invoke_without_command=True)
    items.callback()(list_items)
    items.command("show")(show_item)
    items.command("correct")(correct)
    cli.add_typer(items, name="items")
    feeds = typer.Typer(help="Feeds.", no_args_is_help=True)
    feeds.command("build")(build)
    cli.add_typer(feeds, name="feeds")
