"""All feeds as a tree of static files, for any web server: ``DIR/feeds/fr/theme/asylum.atom``."""

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from feeds.criteria import Criteria
from feeds.paths import FORMATS, PAGE, ROOT, page_path_of, path_of
from publisher.app import App
from publisher.errors import RenderError, StateError
from publisher.failpoints import passing
from publisher.templating import read_icon, read_style
from publisher.usecases.feed_directory import compile_directory
from publisher.usecases.feed_heads import ICON
from publisher.usecases.feed_pages import compile_page
from publisher.usecases.feeds import Catalogue, compile_formats, list_feeds, read_catalogue

_LOCK = ".build.lock"
_UNFINISHED = ".unfinished"
_SUFFIXES = "|".join([*FORMATS, PAGE])
_FEED_FILE = re.compile(rf"[^/]+/((all|theme/[^/]+|region/[^/]+|theme/[^/]+/region/[^/]+)\.({_SUFFIXES})|index\.html)")


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What became of the files, by their paths below the directory."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[str, ...]
    """One text per feed that could not be rendered; its files stay as they were."""


def build_static(
    app: App, directory: Path, *, on_progress: Callable[[int, int], None] = lambda _done, _total: None
) -> BuildReport:
    """Write every feed, its page and the directory, with the bytes that the service gives out; can be repeated at will.

    Pages of the directory have no form there, for no file answers it.

    A reader sees a file as it was or as it is now, whenever the build dies. Files that are no feed are left alone.
    StateError where another build is writing there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with _locked(directory):
        tree = _Tree(directory)
        catalogue = read_catalogue(app)
        _write_feeds(app, catalogue, tree=tree, on_progress=on_progress)
        for name, document in compile_directory(app, catalogue, has_form=False).items():
            tree.put(ROOT + name, document.plain.body)
        tree.put("/static/style.css", read_style("style.css"))
        tree.put(ICON, read_icon())
        return tree.finish()


def _write_feeds(app: App, catalogue: Catalogue, *, tree: "_Tree", on_progress: Callable[[int, int], None]) -> None:
    all_criteria = list(list_feeds(catalogue))
    for done, criteria in enumerate(all_criteria, start=1):
        _write_feed(app, catalogue, tree=tree, criteria=criteria)
        on_progress(done, len(all_criteria))


def _write_feed(app: App, catalogue: Catalogue, *, tree: "_Tree", criteria: Criteria) -> None:
    paths = {form: path_of(criteria, form) for form in FORMATS}
    try:
        documents = compile_formats(app, catalogue, criteria=criteria)
    except RenderError as error:
        tree.keep([*paths.values(), page_path_of(criteria)], problem=str(error))
        return
    for form, document in documents.items():
        tree.put(paths[form], document.plain.body)
    tree.put(page_path_of(criteria), compile_page(app, catalogue, criteria=criteria).plain.body)


class _Tree:
    """The files below a directory, and what became of each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._written: list[str] = []
        self._unchanged: list[str] = []
        self._failed: list[str] = []
        self._kept: set[str] = set()

    def put(self, path: str, body: bytes) -> None:
        name = path.lstrip("/")
        self._kept.add(name)
        if _replace_changed(self._directory / name, body):
            self._written.append(name)
        else:
            self._unchanged.append(name)

    def keep(self, paths: Iterable[str], *, problem: str) -> None:
        """Leave these files as they are: there is nothing better."""
        self._kept.update(path.lstrip("/") for path in paths)
        self._failed.append(problem)

    def finish(self) -> BuildReport:
        """Remove the feeds that are no more."""
        removed = list(self._remove_old())
        return BuildReport(tuple(self._written), tuple(self._unchanged), tuple(removed), tuple(self._failed))

    def _remove_old(self) -> Iterator[str]:
        root = self._directory / ROOT.strip("/")
        for file in sorted(path for path in root.rglob("*") if path.is_file()):
            name = file.relative_to(self._directory).as_posix()
            is_feed = _FEED_FILE.fullmatch(file.relative_to(root).as_posix()) is not None
            if file.name.endswith(_UNFINISHED):
                file.unlink()
            elif is_feed and name not in self._kept:
                file.unlink()
                yield name
        _remove_empty_folders(root)


def _replace_changed(file: Path, body: bytes) -> bool:
    """Whether the file had to be written; it is never seen half-written."""
    if file.is_file() and file.read_bytes() == body:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}{_UNFINISHED}")
    with unfinished.open("wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(stream.fileno())
    passing("feeds-before-replace")
    unfinished.replace(file)
    return True


def _remove_empty_folders(root: Path) -> None:
    folders = [path for path in root.rglob("*") if path.is_dir()]
    for folder in sorted(folders, reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One build at a time; the lock dies with its process."""
    with (directory / _LOCK).open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"Another build is writing {directory}. Wait for its end, or name another one") from error
        yield
