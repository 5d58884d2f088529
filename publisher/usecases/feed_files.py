"""Files that web servers give out: replaced whole, touched only where their bytes changed, with compressed siblings."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from publisher.failpoints import passing
from publisher.usecases.documents import SUFFIXES, Document

MANIFEST = "feeds/.build.json"
"""Under ``feeds/``, whose web servers are told to give no such names out; for its owner only, wherever that fails."""
_UNFINISHED = ".unfinished"
_SIBLING = re.compile(rf"({'|'.join(map(re.escape, SUFFIXES.values()))})$")

Stamp = tuple[int, int]
"""Size in bytes and moment of the last change in nanoseconds: what tells that nobody touched a file since."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the last build left."""

    made_by: str
    """Digest of the program and its configuration."""
    version: Mapping[str, Any]
    """State of the items, as JSON has it, hence ``Any``."""
    stamps: Mapping[str, Stamp]
    """Of each file by its name below the directory; siblings have their own."""


@dataclass
class Files:
    """The files below a directory, and what became of each; names are relative, with ``/``."""

    directory: Path
    known: Mapping[str, Stamp] = field(default_factory=dict)
    """As the last build left them."""
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    _kept: set[str] = field(default_factory=set)
    _unfinished: list[str] = field(default_factory=list)
    _stamps: dict[str, Stamp] = field(default_factory=dict)

    def put(self, name: str, document: Document) -> None:
        """The document, uncompressed and in each coding."""
        variants = {name: document.plain.body} | {
            name + suffix: document.coded[coding].body for coding, suffix in SUFFIXES.items()
        }
        is_written = [self._put_bytes(variant, body) for variant, body in variants.items()]
        (self.written if any(is_written) else self.unchanged).append(name)

    def put_plain(self, name: str, body: bytes) -> None:
        """A file without siblings."""
        (self.written if self._put_bytes(name, body) else self.unchanged).append(name)

    def leave(self, names: Iterable[str]) -> bool:
        """Whether the files and their siblings are as the last build left them; they count as unchanged then."""
        found = {name: [name, *_siblings(name)] for name in names}
        variants = [variant for several in found.values() for variant in several]
        root = str(self.directory)
        stamps = {variant: _stamp(f"{root}/{variant}") for variant in variants}
        if any(stamp is None or stamp != self.known.get(variant) for variant, stamp in stamps.items()):
            return False
        self._stamps |= {variant: stamp for variant, stamp in stamps.items() if stamp}
        self._kept.update(variants)
        self.unchanged += found
        return True

    def keep(self, names: Iterable[str]) -> None:
        """Leave these files as they are, whatever they are; the next build will try them again."""
        for name in names:
            self._kept.update([name, *_siblings(name)])

    def remove_old(self, below: str, pattern: re.Pattern[str]) -> Iterator[str]:
        """Remove files of that pattern (relative to ``below``) that were neither put nor kept, and empty folders."""
        root = self.directory / below
        for name in sorted(_list_files(root)):
            file, full_name = root / name, f"{below}/{name}"
            plain = _SIBLING.sub("", name)
            if name.endswith(_UNFINISHED):
                file.unlink()
            elif full_name not in self._kept and pattern.fullmatch(plain):
                file.unlink()
                if plain == name:
                    yield full_name
        _remove_empty_folders(root)

    def commit(self) -> None:
        """Move all that was put to its place, now that it is on the disk: a reader sees old files, then new ones."""
        if self._unfinished:
            os.sync()  # one for thousands of files: each by itself would take minutes
        for name in self._unfinished:
            file = self.directory / name
            unfinished, old = _beside(file), _stamp(file)
            if old:
                _date_later(unfinished, old)
            passing("feeds-before-replace")
            unfinished.replace(file)
        self._stamps |= {name: stamp for name in self._unfinished if (stamp := _stamp(self.directory / name))}
        self._unfinished.clear()

    def finish(self, made_by: str, version: Mapping[str, Any]) -> None:
        """Write down what was left, for the next build."""
        manifest = {"made_by": made_by, "version": dict(version), "stamps": self._stamps}
        self._put_bytes(MANIFEST, json.dumps(manifest, sort_keys=True).encode())
        self.commit()
        (self.directory / MANIFEST).chmod(0o600)

    def _put_bytes(self, name: str, body: bytes) -> bool:
        """Whether the file is not like that; it will be after ``commit``."""
        self._kept.add(name)
        file = self.directory / name
        old = _stamp(file)
        if old and old[0] == len(body) and file.read_bytes() == body:
            self._stamps[name] = old
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        _beside(file).write_bytes(body)
        self._unfinished.append(name)
        return True


def read_manifest(directory: Path) -> Manifest | None:
    """None where there is none that can be read: everything is looked at then."""
    try:
        values = json.loads((directory / MANIFEST).read_bytes())
        stamps = {str(name): (int(size), int(moment)) for name, (size, moment) in values["stamps"].items()}
        return Manifest(str(values["made_by"]), dict(values["version"]), stamps)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _beside(file: Path) -> Path:
    return file.with_name(f".{file.name}{_UNFINISHED}")


def _date_later(file: Path, old: Stamp) -> None:
    """At least a second later: web servers make dates and entity tags of whole seconds."""
    stamp = _stamp(file)
    earliest = (old[1] // 10**9 + 1) * 10**9
    if stamp and stamp[1] < earliest:
        os.utime(file, ns=(earliest, earliest))


def _stamp(file: Path | str) -> Stamp | None:
    try:
        found = os.stat(file)  # noqa: PTH116  # thousands of names, of which most are not looked at again
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size, found.st_mtime_ns


def _siblings(name: str) -> list[str]:
    return [name + suffix for suffix in SUFFIXES.values()]


def _list_files(root: Path) -> Iterator[str]:
    """Names below ``root``."""
    for folder, _, names in os.walk(root):
        within = os.path.relpath(folder, root)
        yield from (name if within == "." else f"{within}/{name}" for name in names)


def _remove_empty_folders(root: Path) -> None:
    folders = [path for path in root.rglob("*") if path.is_dir()]
    for folder in sorted(folders, reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
