"""``/editions/``: the public archive. Nothing on these pages is personal."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from publisher.app import App
from publisher.usecases.archive import find_full_page, list_past_editions, read_page
from publisher.usecases.feed_cards import list_alternates
from publisher.web.pages import NEGOTIATED, PAGE_HEADERS, choose_language, page_response

_CACHED = {"Cache-Control": "public, max-age=300"}


def routes(app: App) -> list[Route]:
    """The archive, an edition, and the page of a variant."""

    def archive(request: Request) -> Response:
        language = choose_language(app, request)
        alternates = list_alternates(app.config.site, language)
        context = {"editions": list_past_editions(app, language), "alternates": alternates}
        page = page_response(app, "editions.html", language=language, context=context)
        page.headers.update(_CACHED | NEGOTIATED)
        return page

    def edition(request: Request) -> Response:
        """The page of all its items, in the reader's language."""
        edition_id = request.path_params["edition"]
        uid = find_full_page(app, edition_id, choose_language(app, request))
        return RedirectResponse(f"{app.config.site.base_url}/editions/{edition_id}/{uid}", 302, headers=NEGOTIATED)

    def variant(request: Request) -> Response:
        page = read_page(app, request.path_params["edition"], request.path_params["uid"])
        return HTMLResponse(page, headers=PAGE_HEADERS | _CACHED)

    return [
        Route("/editions/", archive),
        Route("/editions/{edition}", edition),
        Route("/editions/{edition}/{uid}", variant),
    ]
