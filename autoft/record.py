"""The base of all records: frozen, JSON-able, strict when read."""

from __future__ import annotations

from typing import dataclass_transform

import msgspec


# Tells type checkers what msgspec does: subclasses of a frozen struct are frozen.
@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: immutable, named fields, strict when read."""
