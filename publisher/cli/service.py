"""The service: run, serve, work, tick, demo."""

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated

import typer

from publisher.cli.output import remark

if TYPE_CHECKING:
    from publisher.app import App


def register(cli: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (run, serve, work, tick, demo):
        cli.command()(command)


def run(context: typer.Context) -> None:
    """Run web, scheduler and sender until SIGTERM or Ctrl-C."""
    from publisher.app import open_app

    _run(open_app(context.obj), is_serving=True, is_ticking=True)


def serve(context: typer.Context) -> None:
    """Run the web part alone."""
    from publisher.app import open_app

    _run(open_app(context.obj), is_serving=True, is_ticking=False)


def work(context: typer.Context) -> None:
    """Run scheduler and sender alone."""
    from publisher.app import open_app

    _run(open_app(context.obj), is_serving=False, is_ticking=True)


def tick(context: typer.Context) -> None:
    """Do once what is due now, then end. Collects, tells hubs, opens, plans, sends."""
    from publisher.app import open_app
    from publisher.cli.signals import run_until_signal
    from publisher.logs import set_up_logs
    from publisher.usecases.service import collect_tick, edition_tick, hub_tick, send_tick

    set_up_logs()
    app = open_app(context.obj)

    async def once(stop: asyncio.Event) -> None:
        await collect_tick(app)
        await hub_tick(app)
        await edition_tick(app)
        await send_tick(app, stop)

    run_until_signal(once)


def demo(
    *,
    port: Annotated[int, typer.Option(help="The start page's port on 127.0.0.1.")] = 8000,
    hours_per_second: Annotated[float, typer.Option("--speed", help="Hours that pass in a second.")] = 1.0,
) -> None:
    """Show everything on a fictional newsroom. Site, feeds, digests, mailbox; Ctrl-C ends it."""
    from publisher.demo.run import run_demo
    from publisher.logs import set_up_logs

    set_up_logs(logging.WARNING)
    asyncio.run(run_demo(port=port, hours_per_second=hours_per_second, tell=remark))


def serve_preview(app: "App", edition: str) -> None:
    """Serve the staff pages on a free port until SIGTERM or Ctrl-C, and say where the edition's is."""
    from publisher.cli.signals import run_until_signal
    from publisher.logs import set_up_logs
    from publisher.web.server import listen_for_staff, serve_all

    set_up_logs()
    listener = listen_for_staff(app)
    listener.sock.listen()  # the browser may come before the server is ready
    remark(f"Preview: {listener.url}staff/editions/{edition} (Ctrl-C ends)")
    run_until_signal(lambda stop: serve_all([listener], stop))


def _run(app: "App", *, is_serving: bool, is_ticking: bool) -> None:
    from publisher.cli.signals import run_until_signal
    from publisher.logs import set_up_logs

    set_up_logs()
    run_until_signal(lambda stop: _run_parts(app, stop, is_serving=is_serving, is_ticking=is_ticking))
    remark("Stopped cleanly.")


async def _run_parts(app: "App", stop: asyncio.Event, *, is_serving: bool, is_ticking: bool) -> None:
    parts = []
    if is_serving:
        from publisher.web.server import listen, serve_all

        listeners = listen(app)
        parts.append(serve_all(listeners, stop))
        for one in listeners:
            remark(f"{one.name}: {one.url}")
    if is_ticking:
        # What collects and sends takes 15 MB of memory, even where it does nothing.
        from publisher.scheduler import keep_ticking

        parts.append(keep_ticking(app, stop))
    await asyncio.gather(*parts)
