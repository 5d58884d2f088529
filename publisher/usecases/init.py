"""The first files of a new deployment."""

from importlib.resources import files
from pathlib import Path

from publisher.app import write_secret
from publisher.errors import ConfigError

_STARTERS = ("publisher.toml", "newsroom.toml")


def write_starter(directory: Path) -> list[tuple[Path, bool]]:
    """Write configuration, newsroom file and secret; each path with whether it is new. What is there is kept."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        written = [(directory / name, _write_new(directory / name)) for name in _STARTERS]
        secret = directory / "publisher.secret"
        return [*written, (secret, write_secret(secret))]
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be written ({error.strerror}). Name a folder that can") from error


def _write_new(path: Path) -> bool:
    text = (files("publisher") / "data" / "starter" / path.name).read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
