"""The colours of messages, chosen so that every text reaches a contrast of 4.5:1 on both grounds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    paper: str
    """Around the card."""
    card: str
    rule: str
    ink: str
    muted: str
    link: str
    accent: str
    urgent: str


LIGHT = Palette(
    paper="#f2efe9",
    card="#ffffff",
    rule="#ddd7cc",
    ink="#1c2430",
    muted="#59626f",
    link="#14427a",
    accent="#0b6157",
    urgent="#9a3412",
)
DARK = Palette(
    paper="#11151a",
    card="#1a2027",
    rule="#38414c",
    ink="#ebe8e2",
    muted="#a8b0ba",
    link="#a9cbf5",
    accent="#74cdbf",
    urgent="#f3a67c",
)
