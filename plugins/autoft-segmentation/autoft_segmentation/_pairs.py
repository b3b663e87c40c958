"""Which file is the mask of which image: by folders, by the ends of names, and by what is left without those."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from autoft.api import Issue, is_media, split_word, survey_mask, walk
from autoft_segmentation import _affixes, _layers, _lists, _united
from autoft_segmentation._united import File

FOLDERS = frozenset(
    "mask masks label labels annotation annotations annot gt gts groundtruth groundtruths ground_truth segmentation "
    "segmentations segmentationclass seg target targets gtfine labelids lbl lbls msk msks anno annos 1st_manual".split()
)
"""Folders of masks, in lower case; also those that end with `_` and one of these, such as CamVid's `train_labels`."""
FORMS = frozenset("image images png pngs semantic machine indexed".split())
"""Words behind one of these in the name of a folder of masks: `label_images`, `masks_machine`. Not `label_studio`."""
PLAIN = FOLDERS | FORMS | {"binary", "color", "colors", "colour", "rgb", "gray", "grey", "instance", "instances"}
"""Folders of masks that are no class."""
MASK_ENDS = (
    "labeltrainids",
    "labelids",
    "segmentation",
    "masks",
    "mask",
    "labels",
    "label",
    "seg",
    "gt",
    "l",
    "matte",
    "1stho",
)
"""Ends of a mask's name, after `_`, `-`, a point or a space; earlier ones are taken where an image has several."""
IMAGE_ENDS = ("leftimg8bit", "image", "img", "sat", "im", "rgb")
SETS = ("gtfine", "gtcoarse")
"""What stands before these ends in Cityscapes."""
OTHER_ENDS = ("color", "colour", "instanceids", "instancetrainids", "polygons", "2ndho")
"""Of files that belong to an annotation and are not masks of classes."""
VESSELS = "1st_manual"
"""Folder of masks in DRIVE: beside it lie those of what the camera sees, and those of a second observer."""
BESIDE_VESSELS = ("mask", "2nd_manual")
VESSEL_ENDS = ("training", "test", "manual1")
NUMBERED = re.compile(r"(.+)[_\-](?:mask|label|seg|gt)[_\-]?\d+")
"""A further mask of an image that has one: `1_mask_2`."""
LOOKED_AT = 20
"""Pictures whose pixels are looked at, to see whether they are masks."""
WHITE = 255
SMOOTH = 4
"""Greys between black and white beyond which they are edges, not classes."""
SPLITS = ("training", "train", "validation", "valid", "val", "testing", "test", "dev")


class Pair(NamedTuple):
    """An image and its mask."""

    id: str
    image: str
    mask: str
    split: str
    further: tuple[str, ...] = ()
    """Masks of other things in the same picture."""
    layers: tuple[str, ...] = ()
    """Class of each mask, where each is of one class."""


class Found(NamedTuple):
    """What a folder holds."""

    pairs: tuple[Pair, ...]
    issues: tuple[Issue, ...]
    folders: tuple[str, ...]
    """Folders in which masks lie, below the root."""
    lonely: tuple[tuple[str, str, str], ...] = ()
    """Images without a mask: id, path and part."""
    kinds: tuple[str, ...] = ()
    """Names of masks that come again in pictures with several: classes, it seems, and not things of one."""
    layers: _layers.Layers = _layers.Layers()
    """Masks of one class each."""


def find(root: Path) -> Found:
    """All pairs below a folder. Images without a mask, and masks without an image, are issues; a val or test part
    without a single mask is one that nobody has annotated, and is named once."""
    files = [path for path in walk(str(root)) if is_media(path, "image")]
    around = _around(root, files)
    images, masks = _sorted(root, files, around, named=False)
    if not masks:
        images, masks = _sorted(root, files, around, named=True)
    if not masks:
        masks = _layers.beside(images)
        masks = masks if all(map(_two_values, masks[:LOOKED_AT])) else []
        images = [image for image in images if image not in set(masks)]
    return _joined(root, images, masks)


def _around(root: Path, files: list[str]) -> int:
    """How many folders there are around all files: their names tell nothing of one."""
    parts = [Path(path).relative_to(root).parts[:-1] for path in files]
    return next(
        (depth for depth, names in enumerate(zip(*parts, strict=False)) if len(set(names)) > 1),
        min(map(len, parts), default=0),
    )


def _two_values(mask: File) -> bool:
    """Black and white, also with smoothed edges: then some greys between them, hardly a pixel each."""
    found = survey_mask(mask.path)
    if found is None or found.colours:
        return False
    ends = [found.values.get(end, 0) for end in (0, WHITE)]
    between = sum(found.values.values()) - sum(ends)
    return len(found.values) < 3 or (all(ends) and len(found.values) > 2 + SMOOTH and between < sum(ends) / 4)


def _sorted(root: Path, files: list[str], around: int, named: bool) -> tuple[list[File], list[File]]:
    """Images, and masks, also those that end in a number. With `named` the first word of a name tells masks too."""
    images, masks = [], []
    whole = _whole(root, files, around)
    vessels = any(VESSELS in map(str.lower, Path(path).relative_to(root).parts) for path in files)
    for path in files:
        below = Path(path).relative_to(root)
        folders = [part.lower() for part in below.parts[around:-1]]
        split = _split(below.parts[:-1])
        stem, end = (below.stem, "") if below.stem.lower() in whole else _ended(below.stem, MASK_ENDS)
        stem = _ended(stem, SETS)[0] if end else stem
        if _ended(below.stem, OTHER_ENDS)[1] or any(_is_aside(part) for part in folders):
            continue
        if vessels:
            if any(part in BESIDE_VESSELS for part in folders):
                continue
            below = below.with_stem(_ended(below.stem, VESSEL_ENDS)[0])
            stem = below.stem
        if end or any(_is_mask_folder(part) for part in folders) or (named and _affixes.is_mask_name(below.stem)):
            rank = MASK_ENDS.index(end) if end else len(MASK_ENDS)
            masks.append(File(path, split, stem.lower(), rank))
        else:
            images.append(File(path, split, _ended(below.stem, IMAGE_ENDS)[0].lower(), 0))
    stems = {image.stem for image in images}
    further = {i for i in images if (found := NUMBERED.fullmatch(i.stem)) and found[1] in stems}
    masks += [image._replace(rank=len(MASK_ENDS)) for image in images if image in further]
    return [image for image in images if image not in further], masks


def _whole(root: Path, files: list[str], around: int) -> set[str]:
    """Names in lower case, such as those of left and right eyes, `1_L` and `1_R`, whose end tells nothing of a mask:
    pictures outside of the folders of masks have them as well as masks inside. A copy of a mask beside its image, which
    has no other one in there, is no picture."""
    inside, outside = set(), defaultdict(set)
    for path in files:
        below = Path(path).relative_to(root)
        if any(_is_mask_folder(part.lower()) for part in below.parts[around:-1]):
            inside.add(below.stem.lower())
        else:
            outside[below.parent].add(below.stem.lower())
    return {
        name
        for names in outside.values()
        for name in names & inside
        if (base := _ended(name, MASK_ENDS)[0]) != name and (base not in names or base in inside)
    }


def _joined(root: Path, images: list[File], masks: list[File]) -> Found:
    layers = _layers.find(root, images, masks, PLAIN)
    if layers.groups and not all(map(_two_values, masks[:: max(1, len(masks) // LOOKED_AT)])):
        layers = _layers.Layers()  # whole masks in several versions
    groups = {} if layers.groups else _united.find(images, masks)
    kinds = _united.kinds(groups)
    if kinds and (told := _layers.of_groups(groups)).groups:
        layers = told
    if layers.groups:
        groups = {image: tuple(sorted(mask for mask, _ in of)) for image, of in layers.groups.items()}
    names = {mask: name for of in layers.groups.values() for mask, name in of}
    chosen: dict[File, tuple[File, ...]] = dict.fromkeys(images, ())
    chosen |= groups or {image: (mask,) for image, mask in _one_each(images, masks).items() if mask}
    lists = _lists.find(root)
    pairs = [
        Pair(
            _id(image.path, root),
            image.path,
            first.path,
            lists.part(image.path, image.stem) or image.split or first.split,
            tuple(mask.path for mask in further),
            tuple(names[mask] for mask in (first, *further)) if names else (),
        )
        for image, (first, *further) in ((image, masks) for image, masks in chosen.items() if masks)
    ]
    used = {path for pair in pairs for path in (pair.mask, *pair.further)}
    covered = {image.stem for image, mask in chosen.items() if mask}
    orphans = [mask.path for mask in masks if mask.path not in used and not {mask.stem, _base(mask)} & covered]
    parts = {pair.split for pair in pairs}
    lonely = [
        image for image, mask in chosen.items() if not mask and not (lists and not lists.part(image.path, image.stem))
    ]
    bare = Counter(image.split for image in lonely if image.split in {"val", "test"} - parts)
    gone = [image.path for image in lonely if image.split not in bare]
    issues = [*_issues(gone, root, "no_mask"), *_issues(orphans, root, "orphan_mask")]
    for split, number in sorted(bare.items()):
        detail = f"none of its {number} images has a mask"
        issues.append(Issue(kind="unlabelled_part", subject=split, detail=detail, drops=False))
    folders = sorted({_id(str(Path(path).parent), root) for path in used})
    alone = [(_id(i.path, root), i.path, i.split) for i, mask in chosen.items() if not mask]
    return Found(tuple(sorted(pairs)), tuple(issues), tuple(folders), tuple(alone), kinds, layers)


def _one_each(images: list[File], masks: list[File]) -> dict[File, File | None]:
    near: dict[tuple[str, str], list[File]] = defaultdict(list)
    for mask in masks:
        near[mask.split, mask.stem].append(mask)
        near["*", mask.stem].append(mask)
    found = {image: _best(image, near) for image in images}
    return found if not masks or any(found.values()) else _by_affixes(images, masks)


def _base(mask: File) -> str:
    """The stem of the image that a numbered mask is one of, or an empty string."""
    numbered = NUMBERED.fullmatch(mask.stem)
    return numbered[1] if numbered else ""


def _best(image: File, near: dict[tuple[str, str], list[File]]) -> File | None:
    found = near.get((image.split, image.stem)) or near.get(("*", image.stem), [])
    return max(
        found, key=lambda file: (_alike(file.path, image.path), -file.rank, -len(Path(file.path).parts)), default=None
    )


def _by_affixes(images: list[File], masks: list[File]) -> dict[File, File | None]:
    """Pairs within each part, by the names as they are."""
    found: dict[File, File | None] = {}
    for split in {image.split for image in images}:
        left = {Path(image.path).stem.lower(): image for image in images if image.split == split}
        right = {Path(mask.path).stem.lower(): mask for mask in masks if mask.split in (split, "")}
        found |= {left[a]: right[b] for a, b in _affixes.match(list(left), list(right)).items()}
    return found


def _alike(mask: str, image: str) -> int:
    """How many leading folders two files share."""
    pairs = zip(Path(mask).parts, Path(image).parts, strict=False)
    return next((depth for depth, (a, b) in enumerate(pairs) if a != b), 0)


def _is_mask_folder(words: str) -> bool:
    """Of a name in lower case."""
    parts = re.split(r"[_\- ]", words)
    known = "_".join(parts) in FOLDERS or words.startswith("segmentationclass") or words.endswith("annot")
    return known or parts[-1] in FOLDERS or (parts[0] in FOLDERS and bool(FORMS & {*parts[1:]}))


def _is_aside(words: str) -> bool:
    """Whether a folder, in lower case, is one of instances or of coloured overlays, which are no masks of classes."""
    return words.startswith(("segmentationobject", "overlay", "colormap")) or "visuali" in words


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
    match = re.fullmatch(r"(.+)[_\-. ]([A-Za-z0-9]+)", stem)
    if match and match[2].lower() in ends:
        return match[1], match[2].lower()
    return stem, ""


def _issues(paths: list[str], root: Path, kind: str) -> list[Issue]:
    return [Issue(kind=kind, subject=_id(path, root), drops=kind == "no_mask") for path in sorted(paths)]


def _id(path: str, root: Path) -> str:
    return Path(path).relative_to(root).as_posix()
