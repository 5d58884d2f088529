"""Where the service listens: staff pages apart from what a proxy leads to."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from live_web import with_base_url
from newsroom_app import open_newsroom

from publisher.app import App
from publisher.errors import ConfigError
from publisher.web.server import Listener, bind, listen


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_newsroom(tmp_path) as newsroom:
        yield newsroom.app


def configured(app: App, *, base_url: str = "https://harbour.example", staff_port: int = 0) -> App:
    web = app.config.web.model_copy(update={"port": 0, "staff_port": staff_port})
    return with_base_url(replace(app, config=app.config.model_copy(update={"web": web})), base_url)


def names(listeners: list[Listener]) -> list[str]:
    for one in listeners:
        one.sock.close()
    return [one.name for one in listeners]


def free_port() -> int:
    with closing(bind("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def test_a_site_that_is_open_to_others_has_a_listener_for_staff_on_loopback(app: App) -> None:
    port = free_port()

    listeners = listen(configured(app, staff_port=port))

    assert listeners[1].url == f"http://127.0.0.1:{port}/"
    assert names(listeners) == ["Web", "Staff"]


@pytest.mark.parametrize(("base_url", "staff_port"), [("http://127.0.0.1:8000", 8001), ("https://harbour.example", 0)])
def test_there_is_no_second_listener_where_none_is_needed_or_wanted(app: App, base_url: str, staff_port: int) -> None:
    assert names(listen(configured(app, base_url=base_url, staff_port=staff_port))) == ["Web"]


def test_a_port_for_staff_that_is_taken_is_named(app: App) -> None:
    with closing(bind("127.0.0.1", 0)) as taken:
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}.*web\.staff_port"):
            listen(configured(app, staff_port=port))


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("a" * 70, 0), ("192.0.2.1", 0)])
def test_an_address_that_cannot_be_leaves_no_socket_behind(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        bind(host, port)
