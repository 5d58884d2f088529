import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.demo.clock import DemoClock, choose_start
from publisher.demo.content import load_newsroom
from publisher.demo.mailbox import Mailbox
from publisher.demo.pages import demo_web_app
from publisher.demo.setting import make_config, set_up
from publisher.demo.stage import Stage

START = choose_start(datetime(2027, 2, 26, 9, tzinfo=UTC))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A demo that is set up and has no past yet."""
    clock = DemoClock(START, lambda: 0.0)
    app = set_up(make_config(load_newsroom().organisation, tmp_path, port=8000, smtp_port=8025), clock)
    yield Stage(app, clock, Mailbox(), START, 1.0, asyncio.Event())
    app.database.close()


@pytest.mark.parametrize("path", ["/", "/demo/why", "/demo/why/1"])
def test_who_comes_too_early_is_asked_to_come_back(serve, stage: Stage, path: str) -> None:
    answer = serve(demo_web_app(stage)).get(path)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "getting ready" in answer.text


@pytest.mark.parametrize("path", ["/demo/why?edition=none", "/demo/why/99999?edition=none", "/demo/why/x"])
def test_what_does_not_exist_is_a_404(serve, stage: Stage, path: str) -> None:
    stage.is_ready.set()

    assert serve(demo_web_app(stage)).get(path).status_code == 404
