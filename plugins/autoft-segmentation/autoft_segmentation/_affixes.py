"""Names that differ in more than a known end: image_1 and mask_1, 0016E5 and 0016E5_P."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

MASK_WORDS = frozenset(
    "mask masks msk label labels seg segmentation gt groundtruth annotation annot target matte".split()
)
IMAGE_WORDS = frozenset("image images img imgs im frame photo pic picture rgb sat original orig input".split())
"""Words that tell an image from its mask, wherever they stand in the name."""
COMMON = 0.9
"""Share of the masks that one end must explain."""


def match(images: Sequence[str], masks: Sequence[str]) -> dict[str, str]:
    """Image -> mask, both as stems that are there once: by what is left without the words, else by an end that nearly
    all masks have and no image."""
    left, right = _unique(images, IMAGE_WORDS), _unique(masks, MASK_WORDS)
    found = {left[key]: right[key] for key in left.keys() & right.keys() if key}
    return found or _by_end(images, masks)


def is_mask_name(stem: str) -> bool:
    """Whether it begins with a word for masks, as `mask_1` does."""
    return len(words := _words(stem)) > 1 and words[0] in MASK_WORDS


def _by_end(images: Sequence[str], masks: Sequence[str]) -> dict[str, str]:
    known = set(images)
    ends: Counter[str] = Counter()
    of: dict[str, dict[str, str]] = defaultdict(dict)
    for mask in masks:
        for cut in range(1, len(mask)):
            if mask[:cut] in known and not mask[cut].isalnum():
                ends[mask[cut:]] += 1
                of[mask[cut:]][mask[:cut]] = mask
    end, number = max(ends.items(), key=lambda item: (item[1], -len(item[0])), default=("", 0))
    return of[end] if number >= max(2, COMMON * len(masks)) else {}


def _unique(stems: Sequence[str], without: frozenset[str]) -> dict[str, str]:
    """What is left of each name -> the name, where there is one such name only."""
    found: dict[str, list[str]] = defaultdict(list)
    for stem in stems:
        found[" ".join(word for word in _words(stem) if word not in without)].append(stem)
    return {key: names[0] for key, names in found.items() if len(names) == 1}


def _words(stem: str) -> list[str]:
    """Letters and digits are words of their own: `mask01` is `mask` and `01`."""
    return re.findall(r"[^\W\d_]+|\d+", Path(stem).name.lower())
