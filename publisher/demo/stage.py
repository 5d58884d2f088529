"""What the parts of a running demo share."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from publisher.app import App
from publisher.demo.clock import DemoClock
from publisher.demo.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class Stage:
    """The application of the invented organisation, its clock and its readers' mailbox."""

    app: App
    clock: DemoClock
    mailbox: Mailbox
    start: datetime
    hours_per_second: float
    is_ready: asyncio.Event
    """Set when the month before the start has been lived through."""
