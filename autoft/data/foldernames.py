"""What names of folders say of themselves: a container of files of all classes, a part, a portion."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from autoft.data.media import BESIDE, part_of, part_word, shared_words, split_word, words_of

#: Folders with these names hold files of all classes, as a table beside them tells; they are not classes.
_CONTAINERS = "images image imgs img pictures photos files data fold masks labels annotations jpegimages jpg jpeg png"
CONTAINERS: Final = frozenset(f"{_CONTAINERS} clips wav wavs audiowav flac mp3 audio recordings".split())
PORTIONS: Final = frozenset("part parts set sets subset portion chunk volume disc".split())
"""Words for a piece of a whole, before a number or a letter."""
_CLASSES: Final = frozenset("class classes category label grade stage level type kind obj object".split())
"""Words before the numbers of classes."""


def is_container(name: str) -> bool:
    """Whether a folder's name says that files of all classes lie in it: `audio`, `fold3`, `images_train`."""
    words = [word for word in re.split(r"[\W_\d]+", name.lower()) if word]
    return not CONTAINERS.isdisjoint(words) and all(word in CONTAINERS or split_word(word) for word in words)


def is_wrapper(name: str) -> bool:
    """Whether the name is that of a part or a container, or says nothing: `test`, `images`, `Part1`."""
    words = words_of(name)
    return bool(part_word(name)) or is_container(name) or (bool(words) and PORTIONS.issuperset(words))


def own_words(name: str) -> tuple[str, ...]:
    """`lung` of `lung_image_sets`: the words beside those that say that sets lie within; none without these."""
    words = words_of(name)
    rest = tuple(word for word in words if word not in CONTAINERS | PORTIONS)
    return rest if len(rest) < len(words) else ()


def are_portions(names: Collection[str]) -> bool:
    """Whether folders are one set of files in portions: `images_part_1` and `images_part_2`, `set_a` and `set_b`."""
    words = {tuple(word for word in words_of(name) if len(word) > 1) for name in names}
    alike = words.pop() if len(words) == 1 < len(names) else ()
    return not CONTAINERS.isdisjoint(shared_words(names)) or not PORTIONS.isdisjoint(alike)


def are_numbered(names: Collection[str]) -> bool:
    """Whether names differ in numbers alone, and have no word for classes: `enron1` and `enron2`."""
    words = shared_words(names)
    return bool(words) and _CLASSES.isdisjoint(words)


def parts_by_words(names: Collection[str]) -> dict[str, str]:
    """Name -> part, where each name has the word of one, and what else they say is the same, or nothing beside the word
    that trains: `IRMAS-TrainingData` and `IRMAS-TestingData-Part1`; `train_audio` and `test_soundscapes`. So
    `bullet_train` beside `drug_test` are classes."""
    parts = {name: part_of(name) for name in names}
    found = {*parts.values()}
    rest = {
        name: tuple(word for word in words_of(name) if not split_word(word) and word not in BESIDE) for name in parts
    }
    alike = len({*rest.values()}) == 1 or not any(rest[name] for name in parts if parts[name] == "train")
    fits = len(found) > 1 and "" not in found and alike
    return parts if fits and ("train" in found or (found == {"val", "test"} and len({*rest.values()}) == 1)) else {}


def beside_containers(names: Collection[str], parts: Mapping[str, str]) -> dict[str, str]:
    """Name -> part, where one folder is a container and the others are parts, none of which trains: `data_256` beside
    `val_256`."""
    held = [name for name in names if name not in parts and is_container(name)]
    if len(held) != 1 or not parts or "train" in parts.values() or len(parts) + 1 != len(names):
        return {}
    return {**parts, held[0]: "train"}
