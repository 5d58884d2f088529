import asyncio
import math
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.app import open_app
from publisher.demo.clock import DemoClock, choose_start
from publisher.demo.content import load_newsroom
from publisher.demo.run import run_demo
from publisher.demo.setting import CONFIG_FILE, make_config, set_up
from publisher.errors import ConfigError

NOW = datetime(2027, 2, 26, 9, tzinfo=UTC)


def _run(*, port: int = 0, speed: float = 1) -> None:
    asyncio.run(run_demo(port=port, hours_per_second=speed, tell=lambda _line: None))


def test_a_port_that_is_taken_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=rf"Port {port} .* --port"):
            _run(port=port)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_cannot_be_is_refused(port: int) -> None:
    with pytest.raises(ConfigError, match="--port"):
        _run(port=port)


@pytest.mark.parametrize("speed", [0, -1, 24.5, math.inf, math.nan])
def test_a_speed_that_makes_no_sense_is_refused(speed: float) -> None:
    with pytest.raises(ConfigError, match="--speed"):
        _run(speed=speed)


def test_commands_can_read_the_demo_by_its_configuration_file(tmp_path: Path) -> None:
    config = make_config(load_newsroom().organisation, tmp_path, port=8000, smtp_port=8025)
    app = set_up(config, DemoClock(choose_start(NOW), lambda: 0.0))
    app.database.close()

    opened = open_app(tmp_path / CONFIG_FILE)
    opened.database.close()

    assert opened.config == config
    assert opened.secret == app.secret


def test_the_environment_of_a_real_deployment_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISHER_SMTP__HOST", "mail.example.org")
    monkeypatch.setenv("PUBLISHER_DATABASE__URL", "sqlite:////srv/publisher/real.db")

    config = make_config(load_newsroom().organisation, tmp_path, port=8000, smtp_port=8025)

    assert config.smtp.host == "127.0.0.1"
    assert config.database.url == "sqlite:///publisher.db"
