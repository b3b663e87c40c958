"""Which file is the mask of which image: by folders, by the ends of names, and by what is left without those."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from autoft.api import Issue, is_media, split_word, walk

FOLDERS = frozenset(
    "mask masks label labels annotation annotations annot gt gts groundtruth ground_truth segmentation segmentations "
    "segmentationclass seg target targets gtfine labelids".split()
)
"""Folders of masks, in lower case; also those that end with `_` and one of these, such as CamVid's `train_labels`."""
MASK_ENDS = ("labeltrainids", "labelids", "segmentation", "masks", "mask", "labels", "label", "seg", "gt", "l", "matte")
"""Ends of a mask's name, after `_` or `-`; earlier ones are taken where an image has several."""
IMAGE_ENDS = ("leftimg8bit", "image", "img", "sat", "im", "rgb")
OTHER_ENDS = ("color", "colour", "instanceids", "instancetrainids", "polygons")
"""Of files that belong to an annotation and are not masks of classes."""
SPLITS = ("training", "train", "validation", "valid", "val", "testing", "test", "dev")


class Pair(NamedTuple):
    """An image and its mask."""

    id: str
    image: str
    mask: str
    split: str


class Found(NamedTuple):
    """What a folder holds."""

    pairs: tuple[Pair, ...]
    issues: tuple[Issue, ...]
    folders: tuple[str, ...]
    """Folders in which masks lie, below the root."""


class _File(NamedTuple):
    path: str
    split: str
    stem: str
    rank: int


def find(root: Path) -> Found:
    """All pairs below a folder. Images without a mask, and masks without an image, are issues."""
    images: list[_File] = []
    masks: dict[tuple[str, str], list[_File]] = defaultdict(list)
    for path in walk(str(root)):
        if not is_media(path, "image"):
            continue
        below = Path(path).relative_to(root)
        split = _split(below.parts[:-1])
        stem, end = _ended(below.stem, MASK_ENDS)
        if _ended(below.stem, OTHER_ENDS)[1]:
            continue
        if end or any(_is_mask_folder(part) for part in below.parts[:-1]):
            rank = MASK_ENDS.index(end) if end else len(MASK_ENDS)
            masks[split, stem.lower()].append(_File(path, split, stem.lower(), rank))
        else:
            plain = _ended(below.stem, IMAGE_ENDS)[0]
            images.append(_File(path, split, plain.lower(), 0))
    return _joined(root, images, masks)


def _joined(root: Path, images: list[_File], masks: dict[tuple[str, str], list[_File]]) -> Found:
    pairs, lonely = [], []
    used: set[str] = set()
    anywhere: dict[str, list[_File]] = defaultdict(list)
    for (_, stem), files in masks.items():
        anywhere[stem] += files
    for image in images:
        near = masks.get((image.split, image.stem)) or anywhere.get(image.stem, [])
        best = max(near, key=lambda file: (_alike(file.path, image.path), -file.rank), default=None)
        if best is None:
            lonely.append(image.path)
            continue
        used.add(best.path)
        pairs.append(Pair(_id(image.path, root), image.path, best.path, image.split or best.split))
    orphans = [file.path for files in masks.values() for file in files if file.path not in used]
    covered = {image.stem for image in images}
    left = [path for path in orphans if _ended(Path(path).stem, MASK_ENDS)[0].lower() not in covered]
    issues = [*_issues(lonely, root, "no_mask"), *_issues(left, root, "orphan_mask")]
    folders = sorted({_id(str(Path(pair.mask).parent), root) for pair in pairs})
    return Found(tuple(sorted(pairs)), tuple(issues), tuple(folders))


def _alike(mask: str, image: str) -> int:
    """How many leading folders two files share."""
    pairs = zip(Path(mask).parts, Path(image).parts, strict=False)
    return next((depth for depth, (a, b) in enumerate(pairs) if a != b), 0)


def _is_mask_folder(name: str) -> bool:
    words = name.lower()
    return words in FOLDERS or words.endswith("annot") or re.split(r"[_\- ]", words)[-1] in FOLDERS


def _split(folders: Iterable[str]) -> str:
    """train, val or test if one of the folders says so, as `train`, `train_labels` or `trainannot` do."""
    for name in reversed(tuple(folders)):
        for word in re.split(r"[_\- ]", name.lower()):
            exact = split_word(word)
            begun = next((split_word(s) for s in SPLITS if word == f"{s}annot"), "")
            if exact or begun:
                return exact or begun
    return ""


def _ended(stem: str, ends: tuple[str, ...]) -> tuple[str, str]:
    """A name without one of these ends, and that end."""
    match = re.fullmatch(r"(.+)[_\-]([A-Za-z0-9]+)", stem)
    if match and match[2].lower() in ends:
        return match[1], match[2].lower()
    return stem, ""


def _issues(paths: list[str], root: Path, kind: str) -> list[Issue]:
    return [Issue(kind=kind, subject=_id(path, root), drops=kind == "no_mask") for path in sorted(paths)]


def _id(path: str, root: Path) -> str:
    return Path(path).relative_to(root).as_posix()
