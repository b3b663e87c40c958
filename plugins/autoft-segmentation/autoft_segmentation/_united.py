"""Several masks of one picture, each of one thing, as contests of cells and lesions have them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

COMMON = 0.9
"""Share of the masks that must belong to a picture by one rule."""
NUMBER = re.compile(r"(.+?)(?:[_\-. ](?:mask|label|seg|gt)[_\-. ]?|[_\-. ])\d+")


class File(NamedTuple):
    """An image or a mask."""

    path: str
    split: str
    stem: str
    """In lower case, without the end that tells what it is."""
    rank: int
    """Of that end: what is preferred where an image has several."""


def find(images: Sequence[File], masks: Sequence[File]) -> dict[File, tuple[File, ...]]:
    """Image -> its masks, where at least one has several: `a_1.png` and `a_2.png` of `a.jpg`, all in a folder `a`, or
    all beside the only picture of their folder. Empty where nearly all masks are told by none of these."""
    for rule in (_by_number, _by_folder, _by_neighbour):
        groups: dict[File, list[File]] = defaultdict(list)
        for mask, image in rule(images, masks).items():
            groups[image].append(mask)
        if sum(map(len, groups.values())) >= max(2, COMMON * len(masks)) and max(map(len, groups.values())) > 1:
            return {image: tuple(sorted(found)) for image, found in groups.items()}
    return {}


def kinds(groups: Mapping[File, Sequence[File]]) -> tuple[str, ...]:
    """Names without numbers that come again beside other pictures, `liver` and `tumour`: each is a class of its own."""
    names = Counter(
        name
        for image, masks in groups.items()
        for name in {mask.stem.replace(image.stem, "").strip("_-. ") for mask in masks}
    )
    again = sorted(name for name, count in names.items() if count > 1 and name and not re.search(r"\d", name))
    return tuple(again) if len(again) > 1 else ()


def _by_number(images: Sequence[File], masks: Sequence[File]) -> dict[File, File]:
    known = by_stem(images)
    found: dict[File, File] = {}
    plain: Counter[File] = Counter()
    for mask in masks:
        image = known.get((mask.split, mask.stem)) or known.get(("*", mask.stem))
        if image:
            plain[image] += 1
        elif numbered := NUMBER.fullmatch(mask.stem):
            image = known.get((mask.split, numbered[1])) or known.get(("*", numbered[1]))
        if image:
            found[mask] = image
    # `a_label.png` beside `a_mask.png` are two ways to draw one thing.
    return {} if plain and max(plain.values()) > 1 else found


def _by_folder(images: Sequence[File], masks: Sequence[File]) -> dict[File, File]:
    known = by_stem(images)
    above = {mask: Path(mask.path).parent.name.lower() for mask in masks}
    pairs = {mask: known.get((mask.split, name)) or known.get(("*", name)) for mask, name in above.items()}
    return {mask: image for mask, image in pairs.items() if image}


def _by_neighbour(images: Sequence[File], masks: Sequence[File]) -> dict[File, File]:
    """Masks in a folder of their own beside the only picture of a folder; there must be two such folders."""
    below: Counter[Path] = Counter(folder for image in images for folder in Path(image.path).parents)
    only = {folder: image for image in images for folder in Path(image.path).parents if below[folder] == 1}
    found: dict[File, File] = {}
    ends: dict[File, set[int]] = defaultdict(set)
    for mask in masks:
        nearest = next((folder for folder in Path(mask.path).parents if below[folder]), None)
        if nearest in only and nearest != Path(mask.path).parent:
            found[mask] = only[nearest]
            ends[found[mask]].add(mask.rank)
    named = {image for mask, image in found.items() if mask.stem == image.stem and not mask.stem.isdigit()}
    return found if len(ends) > 1 and not named and all(len(ranks) == 1 for ranks in ends.values()) else {}


def by_stem(images: Sequence[File]) -> dict[tuple[str, str], File]:
    """(part, stem) -> image, and ("*", stem) -> image where there is one such name only."""
    names = Counter(image.stem for image in images)
    found = {(image.split, image.stem): image for image in images}
    return found | {("*", image.stem): image for image in images if names[image.stem] == 1}
