"""Named points at which a test can end the process: ``PUBLISHER_FAILPOINT=name[:n]``."""

import os

NAMES = {
    "collect-before-write": "a source is fetched, nothing of it is stored",
    "plan-before-deliveries": "variants are written, no delivery yet, nothing committed",
    "plan-before-commit": "deliveries are written, not committed",
    "plan-after-commit": "an edition is planned, nothing of it is claimed",
    "send-after-claim": "a chunk is claimed, no intent written",
    "send-after-intent": "intents are committed, nothing is on the wire",
    "send-before-data": "the envelope of a message is about to be offered; without PIPELINING it is accepted",
    "send-mid-body": "half of a body is on the wire",
    "send-after-dot": "a body is on the wire, its reply is not read",
    "send-after-reply": "the server has answered, the outcome is not committed",
    "send-before-commit": "outcomes and retry dates are written, not committed",
    "send-after-outcome": "outcomes are committed",
    "send-before-release": "a run ends, what it claimed and did not begin is not given back yet",
    "send-release-lock": "not the end: the sender goes on without its lock, as a machine does that was taken for dead",
    "feeds-before-replace": "a feed file is written beside its place",
}

_wanted, _, _count = os.environ.get("PUBLISHER_FAILPOINT", "").partition(":")
_left = int(_count) if _count.isdigit() else 1


def is_armed(name: str) -> bool:
    """Whether the environment asks for this point: where something has to be done differently to pass it."""
    return name == _wanted


def passing(name: str) -> None:
    """End the process at once, without any clean-up, where the environment asks for it at this passing."""
    global _left  # noqa: PLW0603  (a countdown per process is the whole point)
    if name == _wanted:
        _left -= 1
        if _left == 0:
            os._exit(137)
