"""What one would write without us: an ``EmailMessage`` for each person, sent by ``aiosmtplib.send_message``."""

import asyncio
import time
from email.message import EmailMessage
from email.utils import make_msgid

import aiosmtplib

SENDER = "Bench <news@example.org>"
WORD = "Border talks open in the regional office. "
UNSUBSCRIBE = "https://news.example.org/u/{token}"


def measure_plain(port: int, *, messages: int, size: int, connections: int) -> tuple[float, float]:
    """Messages a second, and microseconds of CPU each."""
    started, cpu = time.perf_counter(), time.process_time()
    asyncio.run(_send_all(port, messages, size=size, connections=connections))
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return messages / wall_s, cpu_s / messages * 1e6


async def _send_all(port: int, messages: int, *, size: int, connections: int) -> None:
    numbers = iter(range(messages))

    async def carry() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for number in numbers:
                await client.send_message(_make_message(number, size))

    await asyncio.gather(*(carry() for _ in range(connections)))


def _make_message(number: int, size: int) -> EmailMessage:
    """As a digest is: a fifth of it text, the rest HTML, the link of that person in both and in the header."""
    link = UNSUBSCRIBE.format(token=f"{number:027}")
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = f"Reader {number} <reader{number}@example.org>"
    message["Subject"] = "Weekly"
    message["Message-ID"] = make_msgid(domain="example.org")
    message["List-Unsubscribe"] = f"<{link}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(_text(size // 5) + link + "\n")
    message.add_alternative(f"<html><body><p>{_text(size * 4 // 5)}</p><a href='{link}'>x</a></body></html>", "html")
    return message


def _text(size: int) -> str:
    return (WORD + "\n") * (size // (len(WORD) + 1))
