"""The web of the demo: its own pages in front of the application's, site and mailbox beside them."""

from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publisher.demo.content import load_newsroom
from publisher.demo.mailbox_web import mailbox_app
from publisher.demo.overview import format_moment, read_overview
from publisher.demo.responses import render, respond, stylesheet
from publisher.demo.setting import SITE_PATH
from publisher.demo.site import site_app
from publisher.demo.stage import Stage
from publisher.demo.why import read_everybody, read_person
from publisher.web.server import make_web_app

Handler = Callable[[Request], Response]


def demo_web_app(stage: Stage) -> Starlette:
    """Everything under one address."""
    web_app = make_web_app(stage.app, _routes(stage)).behind
    web_app.add_middleware(_never_kept)
    return web_app


def _routes(stage: Stage) -> list[BaseRoute]:
    def start(request: Request) -> Response:
        return _show(request, "start.html", stage=stage, context={"view": read_overview(stage)})

    def everybody(request: Request) -> Response:
        view = read_everybody(stage.app, request.query_params.get("edition"))
        return _show(request, "why.html", stage=stage, context={"view": view})

    def person(request: Request) -> Response:
        wanted = request.query_params.get("edition")
        one, editions = read_person(stage.app, request.path_params["subscriber"], wanted)
        return _show(request, "why_person.html", stage=stage, context={"person": one, "editions": editions})

    return [
        Route("/", _when_ready(stage, start)),
        Route("/demo/why", _when_ready(stage, everybody)),
        Route("/demo/why/{subscriber:int}", _when_ready(stage, person)),
        Route("/demo/demo.css", stylesheet),
        Mount(SITE_PATH, site_app(load_newsroom(), start=stage.start, now=stage.clock)),
        Mount("/mailbox", mailbox_app(stage.mailbox)),
    ]


def _when_ready(stage: Stage, handler: Handler) -> Handler:
    """Ask to come back while the month before the start is lived through."""

    def guarded(request: Request) -> Response:
        if stage.is_ready.is_set():
            return handler(request)
        response = respond(render("wait.html", request, context={"moment": format_moment(stage)}), status=503)
        response.headers["Retry-After"] = "5"
        return response

    return guarded


def _show(request: Request, template: str, *, stage: Stage, context: Mapping[str, object]) -> Response:
    shared = {
        "organisation": stage.app.config.site.name,
        "hours_per_second": stage.hours_per_second,
        "is_fast": stage.clock.is_fast,
        "moment": format_moment(stage),
        "site_path": SITE_PATH,
    }
    return respond(render(template, request, context={**shared, **context}))


def _never_kept(app: ASGIApp) -> ASGIApp:
    """Let browsers ask again for what may otherwise be kept for minutes, which are days here."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_unkept(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "max-age" in headers.get("Cache-Control", ""):
                    headers["Cache-Control"] = "no-cache"
            await send(message)

        await app(scope, receive, send_unkept)

    return wrapped
