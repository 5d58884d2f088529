"""All feeds as a tree of static files, for any web server: ``DIR/feeds/fr/theme/asylum.atom``."""

import fcntl
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

import feeds
import publisher
import templates
from feeds.criteria import Criteria
from feeds.paths import ARCHIVED_FORMATS, FORMATS, PAGE, ROOT, Address, PageAddress, name_of, page_path_of, path_of
from publisher.app import App
from publisher.errors import ConfigError, RenderError, StateError
from publisher.store.feed_versions import Version
from publisher.templating import read_icon, read_style
from publisher.usecases.documents import Document
from publisher.usecases.feed_archives import compile_archive
from publisher.usecases.feed_changes import EVERYTHING, Changes, find_changes
from publisher.usecases.feed_directory import compile_directory
from publisher.usecases.feed_files import Files, Manifest, read_manifest
from publisher.usecases.feed_heads import ICON
from publisher.usecases.feed_pages import compile_page
from publisher.usecases.feed_server_files import MARK, make_headers_file, make_htaccess
from publisher.usecases.feeds import Catalogue, compile_formats, list_feeds, read_catalogue

_VERSION = TypeAdapter(Version)
_LOCK = "feeds/.build.lock"
_SUFFIXES = "|".join([*FORMATS, PAGE])
_FEED_FILE = re.compile(
    rf"[^/]+/((all|theme/[^/]+|region/[^/]+|theme/[^/]+/region/[^/]+)(/archive/[0-9]+)?\.({_SUFFIXES})|index\.html)"
)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What became of the files, by their paths below the directory; compressed siblings go with their files."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[str, ...]
    """One text per feed that could not be rendered; its files stay as they were."""


@dataclass(frozen=True, slots=True)
class _Build:
    app: App
    catalogue: Catalogue
    changes: Changes
    """Since the last build."""
    files: Files


def build_static(
    app: App, directory: Path, *, on_progress: Callable[[int, int], None] = lambda _done, _total: None
) -> BuildReport:
    """Write every feed, its page and the directory, with the bytes that the service gives out; can be repeated at will.

    Beside each file stand its compressed forms. Only feeds that something changed in since the last build are compiled.
    Pages of the directory have no form there, for no file answers it.

    A reader sees a file as it was or as it is now, whenever the build dies. Files that are no feed are left alone.
    StateError where another build is writing there.
    """
    with _locked(directory):
        made_by, manifest = _digest_maker(app), read_manifest(directory)
        if manifest and manifest.made_by != made_by:
            manifest = None
        version, changes = _find_changes(app, manifest)
        build = _Build(app, read_catalogue(app), changes, Files(directory, manifest.stamps if manifest else {}))
        failed = _write_feeds(build, on_progress)
        _write_others(build)
        build.files.commit()
        removed = tuple(build.files.remove_old(ROOT.strip("/"), _FEED_FILE))
        build.files.finish(made_by, _version_to_json(version))
        return BuildReport(tuple(build.files.written), tuple(build.files.unchanged), removed, tuple(failed))


def refresh_static(app: App, directory: Path) -> BuildReport | None:
    """Build the tree where something was committed since the last build; None where it is as it should be.

    ConfigError where nothing can be written there, StateError where another build is writing.
    """
    manifest = read_manifest(directory)
    last = _version_from_json(manifest.version) if manifest else None
    if manifest and last and manifest.made_by == _digest_maker(app) and find_changes(app, last)[0] == last:
        return None
    try:
        return build_static(app, directory)
    except OSError as error:
        raise ConfigError(
            f"web.feeds_dir: {directory} cannot be written ({error}). Let this user write there"
        ) from error


def _find_changes(app: App, manifest: Manifest | None) -> tuple[Version, Changes]:
    """The state before anything is compiled, and what changed since the last build."""
    last = _version_from_json(manifest.version) if manifest else None
    if last is None:
        return read_catalogue(app).version, EVERYTHING
    return find_changes(app, last)


def _write_feeds(build: _Build, on_progress: Callable[[int, int], None]) -> list[str]:
    failed = []
    all_criteria = list(list_feeds(build.catalogue))
    for done, criteria in enumerate(all_criteria, start=1):
        try:
            _write_feed(build, criteria)
        except RenderError as error:
            failed.append(str(error))
        on_progress(done, len(all_criteria))
    return failed


def _write_feed(build: _Build, criteria: Criteria) -> None:
    """Formats, page and archives of one feed; RenderError where it cannot be made, and its files are kept."""
    names = {form: _file(path_of(criteria, form)) for form in FORMATS}
    page = _file(page_path_of(criteria))
    try:
        if build.changes.touch_feed(criteria) or not build.files.leave(names.values()):
            documents = compile_formats(build.app, build.catalogue, criteria=criteria)
            for form, document in documents.items():
                build.files.put(names[form], document)
        _write_archives(build, criteria)
        if build.changes.touch(PageAddress(criteria)) or not build.files.leave([page]):
            build.files.put(page, compile_page(build.app, build.catalogue, criteria=criteria))
    except RenderError:
        build.files.keep([*names.values(), page, *_archive_files(build, criteria)])
        raise


def _write_archives(build: _Build, criteria: Criteria) -> None:
    for number in range(1, build.catalogue.archives.get(name_of(criteria), 0) + 1):
        names = {form: _file(path_of(criteria, form, number)) for form in ARCHIVED_FORMATS}
        if build.changes.touch(Address(criteria, "atom", number)) or not build.files.leave(names.values()):
            for form, document in compile_archive(build.app, criteria, number).items():
                build.files.put(names[form], document)


def _archive_files(build: _Build, criteria: Criteria) -> Iterator[str]:
    for number in range(1, build.catalogue.archives.get(name_of(criteria), 0) + 1):
        yield from (_file(path_of(criteria, form, number)) for form in ARCHIVED_FORMATS)


def _write_others(build: _Build) -> None:
    """The directory, what its pages use, and what tells web servers how to give feeds out."""
    files = build.files
    directory = compile_directory(build.app, build.catalogue, has_form=False)
    for name, document in directory.items():
        files.put(_file(ROOT + name), document)
    files.put("static/style.css", Document.of(read_style("style.css"), "text/css"))
    files.put_plain(_file(ICON), read_icon())
    for name, body in (("_headers", make_headers_file()), ("feeds/.htaccess", make_htaccess(build.app.config))):
        if _is_ours(files.directory / name):
            files.put_plain(name, body)


def _is_ours(file: Path) -> bool:
    """Whether nobody has made this file their own."""
    return not file.exists() or file.read_bytes().startswith(MARK.encode())


def _file(path: str) -> str:
    """The name of the file at that path of the site."""
    return path.lstrip("/")


def _digest_maker(app: App) -> str:
    """Of the program and of what it is told: where either is another, every feed is compiled."""
    digest = hashlib.sha256(app.config.model_dump_json(include={"site", "web"}).encode())
    for package in (feeds, publisher, templates):
        root = Path(next(iter(package.__path__)))
        for file in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"):
            found = file.stat()
            digest.update(f"{file.relative_to(root)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _version_to_json(version: Version) -> dict[str, Any]:  # a JSON object
    frozen: dict[str, Any] = _VERSION.dump_python(version, mode="json")
    return frozen


def _version_from_json(values: Mapping[str, Any]) -> Version | None:  # a JSON object
    try:
        return _VERSION.validate_python(values)
    except ValidationError:
        return None


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One build at a time; the lock dies with its process."""
    lock = directory / _LOCK
    directory.mkdir(parents=True, exist_ok=True)
    lock.parent.mkdir(exist_ok=True)
    with lock.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"Another build is writing {directory}. Wait for its end, or name another one") from error
        yield
