"""An item as a JSON value and back, exactly."""

from typing import Any

from pydantic import TypeAdapter

from feeds.model import Item

_ADAPTER = TypeAdapter(Item)


def freeze_item(item: Item) -> dict[str, Any]:
    """The item as a JSON object."""
    frozen: dict[str, Any] = _ADAPTER.dump_python(item, mode="json")
    return frozen


def thaw_item(frozen: dict[str, Any]) -> Item:
    """The item that was frozen."""
    return _ADAPTER.validate_python(frozen)
