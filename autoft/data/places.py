"""Files in class folders, with what the folders say of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_PEOPLE: Final = (
    "speaker speakers spk spkr actor actress subject subj user person participant patient talker voice child male "
    "female man woman volunteer client"
)
SPEAKER: Final = re.compile(rf"({'|'.join(_PEOPLE.split())}|id|[smfpu])[\s_\-]?\d+", re.IGNORECASE)
"""Names of people in data sets: `speaker_01`, `Actor_03`, `p225`."""
TOGETHER: Final = "each stays in one part"


class Place(NamedTuple):
    """A file in a class folder, and what the folders say of it."""

    path: str
    label: str
    split: str
    group: str = ""


class Levels(NamedTuple):
    """All files."""

    places: list[Place]
    said: str = ""
    """What the folders within were taken for, for the user."""
    names: Mapping[str, str] = {}
    """Number -> name, where a file names the classes."""
