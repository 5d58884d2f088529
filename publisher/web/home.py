"""The front page, ``/robots.txt`` and ``/healthz``."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from publisher.app import App
from publisher.store.newsroom import list_digests
from publisher.web.pages import choose_language, page_response

_ROBOTS = "User-agent: *\nDisallow: /u/\nDisallow: /staff/\n"


def routes(app: App) -> list[Route]:
    """What a visitor finds first."""

    def home(request: Request) -> Response:
        language = choose_language(app, request)
        with app.database.read() as tx:
            titles = [one.digest.name(language) for one in list_digests(tx)]
        return page_response(app, "home.html", language=language, context={"digests": titles})

    def robots(_request: Request) -> Response:
        return PlainTextResponse(_ROBOTS)

    def health(_request: Request) -> Response:
        with app.database.read() as tx:
            tx.exec_driver_sql("SELECT 1")
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    return [Route("/", home), Route("/robots.txt", robots), Route("/healthz", health)]
