"""``/editions/``: the public archive. Nothing on these pages is personal."""

import zlib

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from publisher.app import App
from publisher.store import editions as store
from publisher.store.newsroom import list_digests
from publisher.usecases.planning import full_mask
from publisher.web.pages import PAGE_HEADERS, choose_language, page_response

_CACHED = {"Cache-Control": "public, max-age=300"}


def routes(app: App) -> list[Route]:
    """The archive, an edition, and the page of a variant."""

    def archive(request: Request) -> Response:
        return _show_archive(app, choose_language(app, request))

    def edition(request: Request) -> Response:
        return _find_full_page(app, request.path_params["edition"], choose_language(app, request))

    def variant(request: Request) -> Response:
        return _show_variant(app, request.path_params["edition"], request.path_params["uid"])

    return [
        Route("/editions/", archive),
        Route("/editions/{edition}", edition),
        Route("/editions/{edition}/{uid}", variant),
    ]


def _show_archive(app: App, language: str) -> Response:
    with app.database.read() as tx:
        published = store.list_published(tx)
        titles = {one.digest.id: one.digest.name(language) for one in list_digests(tx)}
    context = {"editions": published, "titles": titles, "zone": app.config.site.zone}
    response = page_response(app, "editions.html", language=language, context=context)
    response.headers.update(_CACHED)
    return response


def _find_full_page(app: App, edition_id: str, language: str) -> Response:
    """The page of all items of an edition, in the reader's language."""
    with app.database.read() as tx:
        edition = store.read_edition(tx, edition_id)
        mask = full_mask(len(store.read_frozen_items(tx, edition_id)))
        variant = store.find_variant(tx, edition.id, language, mask=mask)
    if variant is None:
        raise HTTPException(404)
    return RedirectResponse(f"{app.config.site.base_url}/editions/{edition.id}/{variant.uid}", 302)


def _show_variant(app: App, edition_id: str, uid: str) -> Response:
    with app.database.read() as tx:
        page = store.read_page(tx, edition_id, uid)
    if page is None:
        raise HTTPException(404)
    return HTMLResponse(zlib.decompress(page), headers=PAGE_HEADERS | _CACHED)
