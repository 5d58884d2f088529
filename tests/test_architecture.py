"""The rules of dependency, as far as import-linter cannot state them, and that the documentation leads somewhere."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PURE = ("feeds", "subscribers")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OUTSIDE_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint"}
CLOCKS = {"now", "utcnow", "today"}


def python_files(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def calls_to_the_outside(source: str) -> Iterator[str]:
    """Calls that read files or the clock through names that need no import of their own."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in OUTSIDE_CALLS:
                yield f"line {node.lineno}: {name}()"
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCKS:
                yield f"line {node.lineno}: .{name}()"
            case ast.Import(names=names) if any(alias.name == "urllib.request" for alias in names):
                yield f"line {node.lineno}: urllib.request"
            case ast.ImportFrom(module="urllib.request"):
                yield f"line {node.lineno}: urllib.request"


def test_both_rules_of_dependency_are_kept() -> None:
    # given
    linter = Path(sys.executable).with_name("lint-imports")

    # when
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    # then
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", python_files(*PURE), ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_packages_read_no_file_and_no_clock(path: Path) -> None:
    assert list(calls_to_the_outside(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    ["open('x')", "datetime.now(UTC)", "date.today()", "import urllib.request", "from urllib.request import urlopen"],
)
def test_the_search_for_files_and_clocks_finds_them(line: str) -> None:
    assert list(calls_to_the_outside(line))


@pytest.mark.parametrize("path", python_files("publisher", *PURE), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_has_two_subjects(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_every_test_file_has_a_name_of_its_own() -> None:
    # given: test folders are no packages, so two files of one name are one module to pytest
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    # then
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_documents_lead_to_files_and_headings(path: Path) -> None:
    broken = [link for link in links_of(path) if not leads_somewhere(link, path)]
    assert broken == []


def links_of(path: Path) -> list[str]:
    text = re.sub(r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def leads_somewhere(link: str, path: Path) -> bool:
    """Addresses of the web are not asked."""
    if re.match(r"[a-z]+:", link):
        return True
    name, _, heading = link.partition("#")
    target = path.parent / name if name else path
    return target.exists() and (not heading or heading in headings_of(target))


def headings_of(path: Path) -> set[str]:
    """The anchors of headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
