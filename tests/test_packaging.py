"""What is installed: every file of the packages is in the wheel, the locks are whole, and the wheel runs elsewhere."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ("publisher", "feeds", "subscribers", "templates")
LOCKS = {"requirements.lock": [], "requirements-dev.lock": ["dev"]}
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-c", BUILD, folder], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return folder / built.stdout.split()[-1]


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    # given
    files = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    # when
    packed = set(zipfile.ZipFile(wheel).namelist())

    # then
    assert files - packed == set()
    assert {name.split("/")[0] for name in packed if ".dist-info" not in name} == set(PACKAGES)


def test_the_wheel_runs_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    # given: the wheel's files alone, without the checkout on the path
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    line = json.dumps({"id": "1", "title": "Refugees find shelter in Tunis", "summary": "", "language": "en"})

    # when
    done = run_publisher(site, "classify", given=line)

    # then
    assert json.loads(done)["countries"] == ["TN"]
    assert "wrote" in run_publisher(site, "init", str(tmp_path / "newsroom"))
    assert (tmp_path / "newsroom" / "newsroom.toml").is_file()


def run_publisher(site: Path, *arguments: str, given: str = "") -> str:
    """Output of the command, run from ``site`` by an interpreter that sees installed libraries but not the checkout."""
    code = (
        f"import sys; sys.path[:] = [{str(site)!r}] + [p for p in sys.path if p not in ('', {str(ROOT)!r})]; "
        "sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in getattr(f, '__module__', '').lower()]; "
        "import publisher; assert publisher.__file__.startswith(sys.path[0]), publisher.__file__; "
        "from publisher.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=site,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr if arguments[0] == "init" else done.stdout


@pytest.mark.parametrize("name", LOCKS)
def test_locks_have_hashes_and_no_address(name: str) -> None:
    # given
    text = (ROOT / name).read_text(encoding="utf-8")

    # then
    assert not re.search(r"://|--index|--find-links|--trusted| @ ", text)
    for requirement in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9.-]+==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_locks_hold_what_the_project_asks_for(name: str, extras: list[str]) -> None:
    # given
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))
    wanted = PROJECT["dependencies"] + [one for extra in extras for one in PROJECT["optional-dependencies"][extra]]

    # then
    assert {re.split(r"[<>=]", one)[0].lower() for one in wanted} - locked == set()


def test_both_locks_agree_on_versions() -> None:
    runtime, everything = (
        dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))
        for name in LOCKS
    )
    assert {name: everything.get(name) for name in runtime} == runtime


def test_every_dependency_says_what_it_is_for() -> None:
    # given
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    extras = PROJECT["optional-dependencies"].values()
    declared = [*PROJECT["dependencies"], *(one for extra in extras for one in extra)]

    # then
    names = [re.split(r"[<>=]", one)[0] for one in declared]
    assert [name for name in names if not re.search(rf"^\| .*`{re.escape(name)}`", page, flags=re.MULTILINE)] == []


def test_what_is_imported_is_declared() -> None:
    # given
    owners = packages_distributions()
    declared = {re.split(r"[<>=]", one)[0].lower() for one in PROJECT["dependencies"]}
    sources = [path.read_text(encoding="utf-8") for package in PACKAGES for path in (ROOT / package).rglob("*.py")]

    # when
    imported = {name for source in sources for name in imports_of(source)} - set(sys.stdlib_module_names) - {*PACKAGES}

    # then
    undeclared = {name for name in imported if not declared & {owner.lower() for owner in owners.get(name, [])}}
    assert undeclared == set()


def imports_of(source: str) -> Iterator[str]:
    """Top-level names of all modules that the source imports."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
