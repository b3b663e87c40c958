"""One mask for each class of a picture: `a_road.png` and `a_car.png` of `a.jpg`, or `masks/road/a.png`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from autoft.api import split_word
from autoft_segmentation._united import COMMON, File, by_stem

WORDS = frozenset("mask masks label labels seg segmentation gt groundtruth annotation class cls".split())
"""They say nothing beside the name of a class: `mask_road`."""
DRAWN = frozenset("rgb color colors colour colours image images semantic instance instances overlay".split())
"""Words in names of folders that hold the same masks, drawn in another way."""
NUMBERED = re.compile(r"(?:class|cls)[_\- ]?\d+", re.IGNORECASE)
"""Names of classes that are numbers."""
THING = re.compile(r"(?P<name>.*[^\W\d_])[_\-. ]+\(?\d+\)?")
"""A class with the number of a thing behind it: `cell_3`."""
AGAIN = frozenset("annotator rater expert observer reader version v copy aug augmented frame slice tile patch".split())
"""Words that number masks of one thing, or pictures: no classes."""
FIRST = re.compile(r"\d+[.)_\- ]+(?=\D)")
"""A number before the name of a folder: `1. Microaneurysms`."""

Groups = Mapping[File, tuple[tuple[File, str], ...]]
"""Image -> its masks, each with the name of its class."""


class Layers(NamedTuple):
    """What the names of masks say."""

    groups: Groups = {}
    by: str = ""
    """Where the names of the classes stand, for the user."""
    doubt: str = ""
    """What could be classes as well as things, and is not said to be either."""

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({name for masks in self.groups.values() for _, name in masks}))


def find(root: Path, images: Sequence[File], masks: Sequence[File], plain: frozenset[str]) -> Layers:
    """The classes by the ends of names, or by folders.

    Args:
        plain: names of folders, in lower case, that are no classes.
    """
    found = _by_names(images, masks)
    if not found.groups:
        found = _by_folders(root, images, masks, plain)
    return found if found.groups or found.doubt else _by_things(images, masks)


def of_groups(groups: Mapping[File, Sequence[File]]) -> Layers:
    """The classes of masks that are known to be of one picture each, where nearly all names come again."""
    named = {image: tuple((mask, class_name(_rest(mask, image))) for mask in masks) for image, masks in groups.items()}
    return Layers(named, "their names") if _come_again(named) else Layers()


def beside(images: Sequence[File]) -> list[File]:
    """Images that are masks of one class of others: `a_road.png` and `a_car.png` beside `a.jpg`."""
    known = by_stem(images)
    found: dict[File, list[tuple[File, str]]] = defaultdict(list)
    for image in images:
        for base, rest in _splits(image.stem):
            owner = known.get((image.split, base))
            if (
                owner
                and owner != image
                and Path(image.path).suffix.lower() == ".png" != Path(owner.path).suffix.lower()
            ):
                found[owner].append((image, class_name(rest)))
                break
    masks = [mask for each in found.values() for mask, _ in each]
    alone = len(found) + len(masks) == len(images)
    named = {image: tuple(each) for image, each in found.items()}
    return masks if alone and _come_again(named) else []


def class_name(words: str) -> str:
    """The name of a class without words that say nothing and a number before it; empty where it is a number."""
    plain = FIRST.sub("", words.strip("_-. "))
    if NUMBERED.fullmatch(plain):
        return plain
    left = re.split(r"([_\-. ]+)", plain)
    while left and left[0].lower() in WORDS:
        left = left[2:]
    while left and left[-1].lower() in WORDS:
        left = left[:-2]
    name = "".join(left)
    return "" if re.search(r"\d", name) else name


def _by_names(images: Sequence[File], masks: Sequence[File]) -> Layers:
    named = _ends(images, masks)
    told = sum(map(len, named.values()))
    return Layers(named, "the ends of their names") if told >= COMMON * len(masks) and _come_again(named) else Layers()


def _by_things(images: Sequence[File], masks: Sequence[File]) -> Layers:
    """One mask for each thing: `a_cell_1.png` and `a_cell_2.png` of `a.jpg`."""
    named = _ends(images, masks, numbered=True)
    pictures = Counter(name for masks in named.values() for name in {name for _, name in masks})
    several = any(len({name for _, name in masks}) < len(masks) for masks in named.values())
    told = sum(map(len, named.values())) >= COMMON * len(masks)
    if not told or not several or not pictures or "" in pictures or min(pictures.values()) < 2:
        return Layers()
    if any(AGAIN & {*re.split(r"[\W_]+", name.lower())} for name in pictures):
        return Layers()
    return Layers(named, "the ends of their names, without the numbers of things")


def _ends(images: Sequence[File], masks: Sequence[File], numbered: bool = False) -> Groups:
    """Each image's masks by the ends of their names; with `numbered`, all of them have a number behind the class."""
    known = by_stem(images)
    found: dict[File, list[tuple[File, str]]] = defaultdict(list)
    for mask in masks:
        for base, rest in _splits(mask.stem):
            image = known.get((mask.split, base)) or known.get(("*", base))
            if image:
                name = _rest(mask, image) if rest else rest
                if numbered:
                    thing = THING.fullmatch(name.strip("_-. "))
                    name = thing["name"] if thing else ""
                found[image].append((mask, class_name(name)))
                break
    return {image: tuple(each) for image, each in found.items()}


def _by_folders(root: Path, images: Sequence[File], masks: Sequence[File], plain: frozenset[str]) -> Layers:
    """Folders side by side that have masks of the same pictures."""
    known = by_stem(images)
    found: dict[File, list[tuple[File, str]]] = defaultdict(list)
    folders: dict[str, set[File]] = defaultdict(set)
    above = set()
    for mask in masks:
        name = Path(mask.path).parent.name
        above.add(Path(mask.path).parent.parent.name)
        image = next(
            (i for stem in _stems(mask.stem) if (i := known.get((mask.split, stem)) or known.get(("*", stem)))), None
        )
        if image:
            found[image].append((mask, name))
            folders[name].add(image)
    told = sum(map(len, found.values()))
    several = sum(len(each) > 1 for each in found.values())
    single = all(len({name for _, name in each}) == len(each) for each in found.values())
    own = {Path(image.path).parent.name for image in images}
    if told < COMMON * len(masks) or several < max(2, len(found) / 10) or not single or len(folders) < 2:
        return Layers()
    stems = {image.stem for image in images}
    drawn = any(DRAWN & {*re.split(r"[\W_]+", name.lower())} for name in folders)
    if drawn or (len(above) > 1 and not all(map(split_word, above))):
        return Layers()
    if any(name.lower() in plain or name.lower() in stems or split_word(name) or name in own for name in folders):
        return Layers()
    names = {name: class_name(name) for name in folders}
    if not all(names.values()) or len(set(names.values())) < len(names):
        return Layers(doubt=f"each of the folders {', '.join(sorted(folders)[:3])} has a mask of the same pictures")
    named = {image: tuple((mask, names[name]) for mask, name in each) for image, each in found.items()}
    return Layers(named, "their folders")


def _come_again(named: Groups) -> bool:
    """Whether all names are words, two or more of them, each beside two pictures at least and once beside each."""
    times = Counter(name for masks in named.values() for _, name in masks)
    once = all(len({name for _, name in masks}) == len(masks) for masks in named.values())
    return len(times) > 1 and "" not in times and once and min(times.values()) > 1


def _rest(mask: File, image: File) -> str:
    """What a mask's name says beside the image's, with its capital letters."""
    whole = Path(mask.path).stem
    place = whole.lower().find(image.stem)
    return whole if place < 0 else whole[:place] + whole[place + len(image.stem) :]


def _splits(stem: str) -> Iterator[tuple[str, str]]:
    """(name of an image, rest), the longest names first."""
    places = [found.start() for found in re.finditer(r"[_\-. ]", stem)]
    for place in reversed(places):
        yield stem[:place], stem[place + 1 :]
    for place in places:
        yield stem[place + 1 :], stem[:place]


def _stems(stem: str) -> Iterator[str]:
    yield stem
    for base, _ in _splits(stem):
        yield base
