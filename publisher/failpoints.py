"""Named points at which a test can end the process: ``PUBLISHER_FAILPOINT=name[:n]``."""

import os

NAMES = {
    "collect-before-write": "a source is fetched, nothing of it is stored",
    "plan-before-commit": "deliveries are written, not committed",
    "send-after-claim": "a chunk is claimed, no intent written",
    "send-after-intent": "intents are committed, nothing is on the wire",
    "send-after-reply": "the server has answered, the outcome is not committed",
    "send-after-outcome": "outcomes are committed",
    "feeds-before-replace": "a feed file is written beside its place",
}

_wanted, _, _count = os.environ.get("PUBLISHER_FAILPOINT", "").partition(":")
_left = int(_count) if _count.isdigit() else 1


def passing(name: str) -> None:
    """End the process at once, without any clean-up, where the environment asks for it at this passing."""
    global _left  # noqa: PLW0603  (a countdown per process is the whole point)
    if name == _wanted:
        _left -= 1
        if _left == 0:
            os._exit(137)
