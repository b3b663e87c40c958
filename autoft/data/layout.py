"""Where class folders lie: below parts or not, within containers, letters and sets, beside copies of themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from autoft.data.foldernames import (
    are_portions,
    beside_containers,
    is_container,
    is_wrapper,
    own_words,
    parts_by_words,
)
from autoft.data.media import (
    entries,
    holds_media,
    is_media,
    part_of,
    part_word,
    parts_among,
    relative,
    split_word,
    walk,
    words_of,
)
from autoft.data.pictures import DRAWN

UNLABELLED = ("unsup", "unlabeled", "unlabelled", "_background_noise_")
"""Folders with exactly these names, beside two classes or more, hold samples whose class nobody has said (IMDB reviews:
Maas et al., 2011; Speech Commands: Warden, 2018)."""

DRAWN_ON = ("img", "ann")
"""Folders in each data set of Supervisely, beside other such sets; these are no classes."""


class ClassFolder(NamedTuple):
    path: str
    label: str
    split: str


class Layout(NamedTuple):
    """Where the class folders are."""

    root: str
    folders: tuple[ClassFolder, ...]
    left_out: tuple[str, ...]
    """Folders named like a split that hold no class folders (test images without labels)."""
    unlabelled: tuple[str, ...] = ()
    """Folders beside the classes that are none, see `UNLABELLED`."""
    unused: tuple[str, ...] = ()
    """Folders of files beside parts, which are no parts by their names."""
    copies: tuple[str, ...] = ()
    """Folders beside classes or parts that hold folders of the same names."""
    said: str = ""
    """How the names were understood, for the user."""


class _Classes(NamedTuple):
    folders: tuple[ClassFolder, ...] = ()
    copies: tuple[str, ...] = ()
    said: str = ""


def find_layout(source: str, field: str) -> Layout | None:
    """The class folders of `source`, or None. A lone folder around them (an unpacked archive) is passed through."""
    found = _layout(source, field)
    if found is None:
        return None
    kept = tuple(folder for folder in found.folders if folder.label not in UNLABELLED)
    if len(kept) == len(found.folders) or len({folder.label for folder in kept}) < 2:
        return found
    others = [relative(f.path, found.root) for f in found.folders if f not in kept]
    return found._replace(folders=kept, unlabelled=tuple(others))


def in_words(layout: Layout) -> str:
    """How the class folders lie, for the user."""
    splits = sorted({os.path.relpath(f.path, layout.root).split(os.sep)[0] + "/" for f in layout.folders if f.split})
    words = f"class folders below {' and '.join(splits)}" if splits else "class folders"
    if layout.left_out:
        words += f" ({', '.join(layout.left_out)}/ has no class folders and is left out)"
    for names, one, many in (
        (layout.unlabelled, "is no class by that name, and left out", "are no class by that name, and left out"),
        (layout.unused, "is no part by its name and left out", "are no parts by their names and left out"),
        (
            layout.copies,
            "holds folders of the same names again and is left out",
            "hold folders of the same names again and are left out",
        ),
    ):
        if names:
            words += f" ({' and '.join(f'{name}/' for name in names)} {one if len(names) == 1 else many})"
    return words + layout.said


def _layout(source: str, field: str) -> Layout | None:
    if not os.path.isdir(source):
        return None
    folders = [entry.name for entry in entries(source) if entry.is_dir()]
    if found := _of_parts(source, folders, field):
        return found
    parts = {name for name in folders if split_word(name)}
    inside = _class_folders(source, field, "")
    if len(parts) > 1 or (len(inside) == 1 and split_word(inside[0].label) == "train"):
        # Images lie directly in train/ and test/: no classes. A class may be called `test` or `train`, though.
        inside = tuple(f for f in inside if not part_word(f.label))
    words = {part_word(f.label) for f in inside}
    names = [f.label for f in inside]
    if ("train" in words and len(words) > 1 and "" not in words) or parts_by_words(names):
        inside = ()  # train/ beside test1/, or train2017/ beside val2017/, or cars_train/ beside cars_test/
    if len(inside) == 1:
        inner = _layout(inside[0].path, field)
        if inner and len(inner.folders) > 1:
            return inner
    classes = _told_apart(inside, field)
    portions = are_portions({f.label for f in classes.folders})
    held = all(is_container(f.label) for f in classes.folders)
    if (portions or held) and not (portions and _crossed(classes.folders, field)):
        return None
    if all(os.path.isdir(os.path.join(f.path, name)) for f in classes.folders for name in DRAWN_ON):
        return None
    if not any(holds_media(f.path, field) for f in classes.folders):
        return None
    copies = tuple(relative(path, source) for path in classes.copies)
    return Layout(source, classes.folders, (), copies=copies, said=classes.said)


def _of_parts(source: str, folders: list[str], field: str) -> Layout | None:
    """The layout of class folders below folders of parts."""
    for parts in _ways(source, folders, field):
        below = _below_parts(source, parts, field)
        if not below:
            continue
        learned = {f.label for found in below.values() for f in found.folders if f.split == "train"}
        copies, unused = [], []
        for name in [name for name in folders if name not in parts and holds_media(os.path.join(source, name), field)]:
            inner = {e.name for e in entries(os.path.join(source, name)) if e.is_dir()}
            beside = _classes_in(os.path.join(source, name), field, part_of(name))
            if inner >= parts.keys():
                copies.append(name)
            elif part_of(name) and DRAWN.isdisjoint(words_of(name)) and {f.label for f in beside.folders} <= learned:
                below[name] = beside
            else:
                unused.append(name)
        folded = tuple(f for found in below.values() for f in found.folders)
        left_out = tuple(name for name, found in below.items() if not found.folders)
        said = next((found.said for found in below.values() if found.said), "")
        copies += [relative(path, source) for found in below.values() for path in found.copies]
        return Layout(source, folded, left_out, unused=tuple(unused), copies=tuple(copies), said=said)
    return None


def _ways(source: str, folders: list[str], field: str) -> list[dict[str, str]]:
    """Name -> part, in the ways in which the names can be read, the surest first."""
    plain = _developed(parts_among(folders, split_word))
    worded = _parts_in_words(source, folders, field)
    filled = [name for name in folders if holds_media(os.path.join(source, name), field)]
    among = parts_by_words(filled)
    held = beside_containers([name for name in filled if name.lower() not in DRAWN], parts_among(filled, part_word))
    ways = [plain] if "train" in plain.values() else []
    ways += [{**worded, **plain}] if worded else []
    ways += [way for way in (among, held) if _trains(source, way, field)]
    return [*ways, plain]


def _developed(parts: dict[str, str]) -> dict[str, str]:
    """With what is for development as training, where only an evaluation lies beside it."""
    developed = all("dev" in words_of(name) for name, part in parts.items() if part == "val")
    if {*parts.values()} != {"val", "test"} or not developed:
        return parts
    return {name: "train" if part == "val" else part for name, part in parts.items()}


def _trains(source: str, parts: Mapping[str, str], field: str) -> bool:
    """Whether what trains holds class folders."""
    return any(
        part == "train" and len(_classes_in(os.path.join(source, name), field, "").folders) > 1
        for name, part in parts.items()
    )


def _below_parts(source: str, parts: Mapping[str, str], field: str) -> dict[str, _Classes]:
    """The class folders of each part, none for one of files without classes; empty where no part has any."""
    below = {name: _classes_in(os.path.join(source, name), field, parts[name]) for name in parts}
    if all(is_container(f.label) for found in below.values() for f in found.folders):
        return {}
    learned = {f.label for found in below.values() for f in found.folders if f.split == "train"}
    for name, found in below.items():  # test/test/1.jpg is no class `test`, nor is test/images/1.jpg one
        labels = {f.label for f in found.folders}
        if learned and not learned & labels and all(is_wrapper(label) or label == name for label in labels):
            below[name] = _Classes()
    return below


def _parts_in_words(source: str, folders: list[str], field: str) -> dict[str, str]:
    """Folders such as `training_set` and `asl_test`, where one for training and one for another part differ in the word
    alone, and the one for training holds class folders. So `bullet_train` beside `pregnancy_test` are classes."""
    words = {name: words_of(name) for name in folders}
    rest = {name: [word for word in found if not split_word(word)] for name, found in words.items()}
    parts = {name: part_of(name) for name in words if part_of(name) and len(words[name]) == len(rest[name]) + 1}
    for name in parts:
        alike = {other: part for other, part in parts.items() if rest[other] == rest[name]}
        if len(set(alike.values())) > 1 and _trains(source, {name: parts[name]}, field):
            return alike
    return {}


def _classes_in(folder: str, field: str, split: str) -> _Classes:
    """The class folders of a part, or of a lone folder of the same name in it."""
    return _told_apart(_class_folders(_unwrapped(folder, field), field, split), field)


def _told_apart(folders: tuple[ClassFolder, ...], field: str) -> _Classes:
    """The classes among folders: without copies of all of them, and those within letters and sets."""
    copies = _copies(folders, field)
    kept = tuple(folder for folder in folders if folder.path not in copies)
    if leaves := _below_letters(kept, field):
        return _Classes(leaves, copies, "; the outer folders are first letters of the classes")
    if sets := _below_sets(kept, field):
        names = " and ".join(f"{folder.label}/" for folder in kept[:3])
        return _Classes(sets, copies, f"; {names} hold sets of classes by their names")
    return _Classes(kept, copies)


def _copies(folders: tuple[ClassFolder, ...], field: str) -> tuple[str, ...]:
    """Folders whose own folders have the names of all those beside them, as data sets that were packed twice have:
    `cell_images/Parasitized` beside `Parasitized`."""
    names = [folder.label for folder in folders]
    found = [
        folder.path
        for folder in folders
        if all(name == folder.label or os.path.isdir(os.path.join(folder.path, name)) for name in names)
        and {f.label for f in _class_folders(folder.path, field, "")} <= {*names}
    ]
    return tuple(found) if len(found) == 1 and len(names) > 2 else ()


def _below_letters(folders: tuple[ClassFolder, ...], field: str) -> tuple[ClassFolder, ...]:
    """The folders of files below folders of single letters, each of which begins the names in it: `a/abbey`. A class is
    called by its path below the letter, `bakery/shop`."""
    if not folders or not all(len(folder.label) == 1 and folder.label.isalpha() for folder in folders):
        return ()
    leaves: list[ClassFolder] = []
    for folder in folders:
        places = sorted({os.path.dirname(path) for path in walk(folder.path) if is_media(path, field)})
        names = [relative(place, folder.path) for place in places]
        if not names or not all(name.lower().startswith(folder.label.lower()) for name in names):
            return ()
        leaves += [ClassFolder(p, name, folder.split) for p, name in zip(places, names, strict=True)]
    return tuple(leaves) if all(leaf.label != "." for leaf in leaves) else ()


def _below_sets(folders: tuple[ClassFolder, ...], field: str) -> tuple[ClassFolder, ...]:
    """The folders in folders that are called sets of something, where all of them have its name and none comes twice:
    `lung_image_sets/lung_aca`. So `fake_images/gan` is of the class `fake_images`."""
    if len(folders) < 2 or not all(own_words(folder.label) for folder in folders):
        return ()
    inner = [_class_folders(folder.path, field, folder.split) for folder in folders]
    labels = [f.label for found in inner for f in found]
    bare = any(e.is_file() and is_media(e.path, field) for folder in folders for e in entries(folder.path))
    own = all(
        {*words_of(f.label)} & {*own_words(folder.label)}
        for folder, found in zip(folders, inner, strict=True)
        for f in found
    )
    fits = own and not bare and len({*labels}) == len(labels) and all(len(found) > 1 for found in inner)
    return tuple(f for found in inner for f in found) if fits else ()


def _crossed(folders: tuple[ClassFolder, ...], field: str) -> bool:
    """Whether each folder has the same two folders or more in it."""
    inner = {frozenset(f.label for f in _class_folders(folder.path, field, "")) for folder in folders}
    return len(inner) == 1 and len(next(iter(inner))) > 1


def _unwrapped(folder: str, field: str) -> str:
    """The folder that a lone folder of the same name wraps, as archives do: training_set/training_set/cats."""
    found = [entry for entry in entries(folder) if entry.is_dir()]
    alone = len(found) == 1 and (found[0].name == os.path.basename(folder) or is_wrapper(found[0].name))
    return found[0].path if alone and _class_folders(found[0].path, field, "") else folder


def _class_folders(folder: str, field: str, split: str) -> tuple[ClassFolder, ...]:
    found = [ClassFolder(e.path, e.name, split) for e in entries(folder) if e.is_dir()]
    # Empty ones stay: an empty class is worth a word. Folders of other files (docs/, code/) go.
    return tuple(f for f in found if holds_media(f.path, field) or next(walk(f.path), None) is None)
