"""The web site of the invented newsroom, as a browser and the collector see it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publisher.demo import site_feeds
from publisher.demo.content import Newsroom, Page, pages_at
from publisher.demo.dates import format_day
from publisher.demo.responses import render, respond, respond_if_changed, stylesheet

HOME_SIZE = 5
PAGE_SIZE = 8
FEED_SIZE = 20


@dataclass(frozen=True, slots=True)
class Site:
    """What the site is made of, and the clock that it shows."""

    newsroom: Newsroom
    start: datetime
    now: Callable[[], datetime]

    def pages(self) -> tuple[Page, ...]:
        """What can be read now, newest first."""
        return pages_at(self.newsroom.stories, self.start, now=self.now())

    def listed(self, language: str, section: str = "news") -> list[Page]:
        """What can be read now in that list of the site, newest first."""
        return [page for page in self.pages() if page.language == language and section in page.sections]


def site_app(newsroom: Newsroom, *, start: datetime, now: Callable[[], datetime]) -> Starlette:
    """The site of a demo begun at ``start``; stories appear and are corrected as ``now()`` goes on."""
    app = Starlette(routes=_routes(), exception_handlers={404: _missing})
    app.state.site = Site(newsroom, start, now)
    return app


def _routes() -> list[Route]:
    return [
        Route("/", _home),
        Route("/news/", _news),
        Route("/news/{slug}", _story),
        Route("/press/", _press),
        Route("/fr/", _french),
        Route("/fr/rss.xml", _rss),
        Route("/ru/", _russian),
        Route("/ru/feed.json", _json_feed),
        Route("/demo.css", stylesheet),
    ]


async def _home(request: Request) -> Response:
    return _show(request, "home.html", _site(request).listed("en")[:HOME_SIZE])


async def _news(request: Request) -> Response:
    return _show_list(request, "list.html", _site(request).listed("en"))


async def _press(request: Request) -> Response:
    return _show_list(request, "press.html", _site(request).listed("en", "press"))


async def _french(request: Request) -> Response:
    return _show_list(request, "list.html", _site(request).listed("fr"), feed="fr/rss.xml")


async def _russian(request: Request) -> Response:
    return _show_list(request, "list.html", _site(request).listed("ru"), feed="ru/feed.json")


async def _story(request: Request) -> Response:
    for page in _site(request).pages():
        if page.slug == request.path_params["slug"]:
            return _show(request, "story.html", [page])
    raise HTTPException(404)


async def _rss(request: Request) -> Response:
    site = _site(request)
    pages = site.listed("fr")[:FEED_SIZE]
    body = site_feeds.rss(pages, site.newsroom.organisation, base_url=_base_url(request))
    media_type = "application/rss+xml; charset=utf-8"
    return respond_if_changed(request, body, modified_at=_newest_change(pages), media_type=media_type)


async def _json_feed(request: Request) -> Response:
    site = _site(request)
    pages = site.listed("ru")[:FEED_SIZE]
    body = site_feeds.json_feed(pages, site.newsroom.organisation, base_url=_base_url(request))
    media_type = "application/feed+json; charset=utf-8"
    return respond_if_changed(request, body, modified_at=_newest_change(pages), media_type=media_type)


async def _missing(request: Request, _error: Exception) -> Response:
    return respond(render("site/missing.html", request, context=_context(request, "en")), status=404)


def _show_list(request: Request, template: str, pages: Sequence[Page], *, feed: str | None = None) -> Response:
    number = _page_number(request)
    shown = pages[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    if not shown:
        raise HTTPException(404)
    has_older = len(pages) > number * PAGE_SIZE
    context = {"pages": shown, "number": number, "has_older": has_older, "feed": feed}
    body = render(f"site/{template}", request, context=_context(request, shown[0].language) | context)
    return respond_if_changed(request, body, modified_at=_newest_change(pages))  # of all pages: stories move down


def _show(request: Request, template: str, pages: Sequence[Page]) -> Response:
    context = _context(request, pages[0].language) | {"pages": pages}
    body = render(f"site/{template}", request, context=context)
    return respond_if_changed(request, body, modified_at=_newest_change(pages))


def _context(request: Request, language: str) -> dict[str, object]:
    organisation = _site(request).newsroom.organisation

    def words(day: date) -> str:
        return format_day(day, language)

    return {
        "organisation": organisation,
        "phrases": organisation.phrases[language],
        "language": language,
        "format_day": words,
        "base_url": _base_url(request),
        "path": request.url.path.removeprefix(str(request.scope.get("root_path", ""))),
    }


def _base_url(request: Request) -> str:
    """Where the site stands; Request.base_url does not know of a mount."""
    return str(request.url.replace(path=f"{request.scope.get('root_path', '')}/", query="", fragment=""))


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text)):
        raise HTTPException(404)
    return int(text)


def _newest_change(pages: Sequence[Page]) -> datetime:
    return max(page.updated_at for page in pages)


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site
