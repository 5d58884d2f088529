"""The front page, ``/robots.txt`` and ``/healthz``."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from publisher.app import App
from publisher.usecases.archive import check_database, list_titles
from publisher.usecases.feed_cards import list_alternates
from publisher.web.pages import NEGOTIATED, choose_language, page_response

_ROBOTS = "User-agent: *\nDisallow: /u/\nDisallow: /feeds/personal/\nDisallow: /staff/\n"


def routes(app: App) -> list[Route]:
    """What a visitor finds first."""

    def home(request: Request) -> Response:
        language = choose_language(app, request)
        alternates = list_alternates(app.config.site, language)
        context = {"digests": list_titles(app, language), "alternates": alternates}
        page = page_response(app, "home.html", language=language, context=context)
        page.headers.update(NEGOTIATED)
        return page

    def robots(_request: Request) -> Response:
        return PlainTextResponse(_ROBOTS)

    def health(_request: Request) -> Response:
        check_database(app)
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    return [Route("/", home), Route("/robots.txt", robots), Route("/healthz", health)]
