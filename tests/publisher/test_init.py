"""The first files of a deployment."""

import stat
from pathlib import Path

import pytest

from publisher.app import open_app
from publisher.errors import ConfigError
from publisher.usecases.init import write_starter
from publisher.usecases.newsroom import apply, export, read_newsroom_file


def test_a_new_folder_gets_files_that_work_as_they_are(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "a" / "b")

    assert [is_new for _, is_new in written] == [True, True, True]
    app = open_app(tmp_path / "a" / "b" / "publisher.toml")
    file = tmp_path / "a" / "b" / "newsroom.toml"
    assert apply(app, read_newsroom_file(file), name=str(file))
    assert "[[sources]]" not in export(app)
    app.database.close()


def test_the_secret_can_be_read_by_its_owner_only_and_is_the_one_that_is_used(tmp_path: Path) -> None:
    write_starter(tmp_path)
    secret = tmp_path / "publisher.secret"

    app = open_app(tmp_path / "publisher.toml")
    app.database.close()

    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(app.secret) == 64
    assert secret.read_bytes().strip() == app.secret


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    write_starter(tmp_path)
    secret = (tmp_path / "publisher.secret").read_bytes()
    (tmp_path / "publisher.toml").write_text("# mine")

    again = write_starter(tmp_path)

    assert [is_new for _, is_new in again] == [False, False, False]
    assert (tmp_path / "publisher.toml").read_text() == "# mine"
    assert (tmp_path / "publisher.secret").read_bytes() == secret


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="file: cannot be written"):
        write_starter(tmp_path / "file")


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot read"), ("", "is empty"), ("short", "fewer than 32 characters")]
)
def test_a_lost_or_broken_secret_is_never_replaced_silently(tmp_path: Path, content: str | None, words: str) -> None:
    write_starter(tmp_path)
    open_app(tmp_path / "publisher.toml").database.close()
    secret = tmp_path / "publisher.secret"
    secret.unlink()
    if content is not None:
        secret.write_text(content)

    with pytest.raises(ConfigError, match=rf"site\.secret_file: .*{words}"):
        open_app(tmp_path / "publisher.toml")
