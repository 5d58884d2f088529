"""What is personal about a message, and who may have one."""

from dataclasses import replace
from pathlib import Path

import pytest
from newsroom_app import open_newsroom

from publisher.config import load_config
from publisher.usecases.addressing import may_get_mail, message_id


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("", True),
        ("only_to = []", False),
        ('only_to = ["*@harbour.example"]', False),
        ('only_to = ["ben@example.org", "A*@Example.org"]', True),
    ],
)
def test_where_recipients_are_named_nobody_else_gets_mail(tmp_path: Path, line: str, *, may: bool) -> None:
    with open_newsroom(tmp_path, mail=line) as newsroom:
        assert may_get_mail(newsroom.app, "Ana@example.org") is may
        assert not may_get_mail(newsroom.app, None)


def test_a_message_id_ends_in_the_domain_of_the_sender_in_ascii(tmp_path: Path) -> None:
    with open_newsroom(tmp_path) as newsroom:
        text = newsroom.config_file.read_text("utf-8").replace("news@harbour", "news@häfen")
        newsroom.config_file.write_text(text, "utf-8")
        app = replace(newsroom.app, config=load_config(newsroom.config_file))

        assert message_id(app, "weekly-2026-11-23", 1).endswith("@xn--hfen-loa.example>")
