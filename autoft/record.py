"""The base of all records: frozen, JSON-able, strict when read; and how they are written and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, dataclass_transform

import msgspec

T = TypeVar("T")


# Tells type checkers what msgspec does: subclasses of a frozen struct are frozen.
@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: immutable, named fields, strict when read."""


def to_json(record: Any, *, pretty: bool = False) -> str:
    """One line of JSON, or an indented text."""
    raw = msgspec.json.encode(record)
    return (msgspec.json.format(raw, indent=2) if pretty else raw).decode()


def to_plain(record: Any) -> Any:
    """Dicts, lists, words and numbers, as `Sample.fields` holds records."""
    return msgspec.json.decode(msgspec.json.encode(record))


def from_json(text: str | bytes, kind: type[T]) -> T:
    """The record in `text`.

    Raises:
        msgspec.ValidationError: a field is missing, unknown or of another type.
    """
    return msgspec.json.decode(text, type=kind)


def from_dict(values: Mapping[str, Any], kind: type[T]) -> T:
    """The record whose fields are `values` (as read from YAML or JSON)."""
    return msgspec.convert(values, kind)
