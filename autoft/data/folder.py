"""Class folders: `cats/1.png`, or `train/cats/1.png`; for prediction any folder of files, or one file."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from autoft.data import advice, partlabels, partlists, speakers
from autoft.data.media import (
    entries,
    holds_media,
    is_media,
    is_text,
    media_field,
    part_of,
    part_word,
    relative,
    shared_words,
    split_word,
    walk,
    words_of,
)
from autoft.data.rival import table_says_more
from autoft.data.tablefiles import tables_in
from autoft.records import Dataset, Issue, ReadOptions, Sample

#: Folders with these names hold files of all classes, as a table beside them tells; they are not classes.
_CONTAINERS = "images image imgs img pictures photos files data fold masks labels annotations jpegimages jpg jpeg png"
CONTAINERS = frozenset(f"{_CONTAINERS} clips wav wavs audiowav flac mp3 audio recordings".split())
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


class FolderReader:
    """The name of a file's folder is its `label`. The first medium among the needs is what the files are."""

    name = "folder"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is class folders (or files to predict on), or an empty string."""
        field = media_field(options.needs)
        if not _fits(options, field) or not os.path.exists(source):
            return ""
        if unlabelled(options):
            found = is_media(source, field) if os.path.isfile(source) else holds_media(source, field)
            return f"{field} files" if found else ""
        layout = find_layout(source, field)
        if not layout or (len(layout.folders) == 1 and tables_in(layout.root)):
            return ""
        if tables_in(layout.root) and not any(folder.split for folder in layout.folders):
            by_folder = {
                os.path.abspath(p): f.label for f in layout.folders for p in walk(f.path) if is_media(p, field)
            }
            if table_says_more(source, layout.root, options, field, by_folder):
                return ""
        return in_words(layout)

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per file, `id` its path below `source`, in the order of the paths.

        Raises:
            DataError: there are no such files or no class folders; the message says what is expected.
        """
        field = media_field(options.needs)
        if not self.sniff(source, options):
            raise advice.unrecognised(source, options)
        if unlabelled(options):
            return _read_plain(source, field)
        layout = find_layout(source, field)
        assert layout is not None
        return _read_classes(source, layout, field)


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


def _layout(source: str, field: str) -> Layout | None:
    if not os.path.isdir(source):
        return None
    folders = [entry for entry in entries(source) if entry.is_dir()]
    parts = {entry.name: split_word(entry.name) for entry in folders if split_word(entry.name)}
    below = _below_parts(source, parts, field) or _below_parts(source, _parts_in_words(source, folders, field), field)
    if below:
        left_out = tuple(name for name, found in below.items() if not found)
        return Layout(source, tuple(f for found in below.values() for f in found), left_out)
    classes = _class_folders(source, field, "")
    if len(parts) > 1 or (len(classes) == 1 and split_word(classes[0].label) == "train"):
        # Images lie directly in train/ and test/: no classes. A class may be called `test` or `train`, though.
        classes = tuple(f for f in classes if not part_word(f.label))
    words = {part_word(f.label) for f in classes}
    if ("train" in words and len(words) > 1 and "" not in words) or _only_parts([f.label for f in classes]):
        classes = ()  # train/ beside test1/, or train2017/ beside val2017/, or cars_train/ beside cars_test/
    if len(classes) == 1:
        inner = _layout(classes[0].path, field)
        if inner and len(inner.folders) > 1:
            return inner
    if all(is_container(f.label) for f in classes) or _numbered({f.label for f in classes}):
        return None
    if all(os.path.isdir(os.path.join(f.path, name)) for f in classes for name in DRAWN_ON):
        return None
    return Layout(source, classes, ()) if any(holds_media(f.path, field) for f in classes) else None


def _below_parts(source: str, parts: dict[str, str], field: str) -> dict[str, tuple[ClassFolder, ...]]:
    """The class folders of each part, none for one of files without classes; empty where no part has any."""
    below = {name: _class_folders(_unwrapped(os.path.join(source, name), field), field, parts[name]) for name in parts}
    if all(is_container(f.label) for found in below.values() for f in found):
        return {}
    learned = {f.label for found in below.values() for f in found if f.split == "train"}
    for name, found in below.items():  # test/test/1.jpg is no class `test`, nor is test/images/1.jpg one
        if (
            learned
            and not learned & {f.label for f in found}
            and all(_is_wrapper(f.label) or f.label == name for f in found)
        ):
            below[name] = ()
    return below


def _parts_in_words(source: str, folders: list[os.DirEntry[str]], field: str) -> dict[str, str]:
    """Folders such as `training_set` and `asl_test`, where one for training and one for another part differ in the word
    alone, and the one for training holds class folders. So `bullet_train` beside `pregnancy_test` are classes."""
    words = {entry.name: words_of(entry.name) for entry in folders}
    rest = {name: [word for word in found if not split_word(word)] for name, found in words.items()}
    parts = {name: part_of(name) for name in words if part_of(name) and len(words[name]) == len(rest[name]) + 1}
    for name in parts:
        alike = {other: part for other, part in parts.items() if rest[other] == rest[name]}
        inner = _unwrapped(os.path.join(source, name), field)
        if parts[name] == "train" and len(set(alike.values())) > 1 and len(_class_folders(inner, field, "")) > 1:
            return alike
    return {}


def _only_parts(names: Collection[str]) -> bool:
    """Whether all names are the same but for the word of a part, and one trains."""
    rest = {tuple(word for word in words_of(name) if not split_word(word)) for name in names}
    parts = {part_of(name) for name in names}
    return len(rest) == 1 and "" not in parts and "train" in parts and len(parts) == len(names) > 1


def _numbered(names: Collection[str]) -> bool:
    """Whether the folders are one set of files in portions: images_part_1, images_part_2."""
    return not CONTAINERS.isdisjoint(shared_words(names))


def _unwrapped(folder: str, field: str) -> str:
    """The folder that a lone folder of the same name wraps, as archives do: training_set/training_set/cats."""
    found = [entry for entry in entries(folder) if entry.is_dir()]
    alone = len(found) == 1 and (found[0].name == os.path.basename(folder) or _is_wrapper(found[0].name))
    return found[0].path if alone and _class_folders(found[0].path, field, "") else folder


def _is_wrapper(name: str) -> bool:
    return bool(part_word(name)) or is_container(name)


def is_container(name: str) -> bool:
    """Whether a folder's name says that files of all classes lie in it: `audio`, `fold3`, `images_train`."""
    words = [word for word in re.split(r"[\W_\d]+", name.lower()) if word]
    return not CONTAINERS.isdisjoint(words) and all(word in CONTAINERS or split_word(word) for word in words)


def _class_folders(folder: str, field: str, split: str) -> tuple[ClassFolder, ...]:
    found = [ClassFolder(e.path, e.name, split) for e in entries(folder) if e.is_dir()]
    # Empty ones stay: an empty class is worth a word. Folders of other files (docs/, code/) go.
    return tuple(f for f in found if holds_media(f.path, field) or next(walk(f.path), None) is None)


def _fits(options: ReadOptions, field: str) -> bool:
    required = set(options.needs) - set(options.optional)
    return bool(field) and required <= {field, "label"} and not options.columns and not options.group_col


def unlabelled(options: ReadOptions) -> bool:
    """Whether samples may come without a label, as for prediction."""
    return "label" not in options.needs or "label" in options.optional


def in_words(layout: Layout) -> str:
    """How the class folders lie, for the user."""
    splits = sorted({os.path.relpath(f.path, layout.root).split(os.sep)[0] + "/" for f in layout.folders if f.split})
    words = f"class folders below {' and '.join(splits)}" if splits else "class folders"
    if layout.left_out:
        words += f" ({', '.join(layout.left_out)}/ has no class folders and is left out)"
    if layout.unlabelled:
        names = " and ".join(f"{name}/" for name in layout.unlabelled)
        words += f" ({names} {'are' if len(layout.unlabelled) > 1 else 'is'} no class by that name, and left out)"
    return words


def _read_classes(source: str, layout: Layout, field: str) -> Dataset:
    issues: list[Issue] = []
    outer = {path: folder for folder in layout.folders for path in media_files(folder.path, source, field, issues)}
    bare = {folder.split for folder in layout.folders} <= {"", "train"}  # a lone train/ says nothing of other parts
    root = os.path.dirname(layout.folders[0].path) if layout.folders[0].split else layout.root
    lists = partlists.find(source, root, field, list(outer)) if bare else None
    places = [speakers.Place(path, folder.label, folder.split) for path, folder in outer.items()]
    classes = {folder.label for folder in layout.folders}
    inner = {name: partlabels.find(os.path.join(layout.root, name), classes, field) for name in layout.left_out}
    listed = {name: found for name, found in inner.items() if found}
    layout = layout._replace(left_out=tuple(name for name in layout.left_out if name not in listed))
    for name, found in listed.items():
        places += [
            speakers.Place(path, label, split_word(name) or part_of(name)) for path, label in found.classes.items()
        ]
    said = ""
    if lists:
        places = [
            p if p.split in ("val", "test") else p._replace(split=lists.of.get(p.path, lists.rest)) for p in places
        ]
        said = f"; parts as {' and '.join(lists.lists)} say"
        for place in [place for place in places if not place.split]:
            issues.append(Issue(kind="unlisted", subject=relative(place.path, source), drops=False))
        places = [place for place in places if place.split]
    elif not listed:
        places, said = speakers.level(places, {path: one.path for path, one in outer.items()}, source, field)
    samples = [
        Sample(
            id=relative(place.path, source),
            fields={field: os.path.abspath(place.path), "label": place.label},
            split=place.split,
            group=place.group,
        )
        for place in places
    ]
    filled = {str(sample.fields["label"]) for sample in samples}
    for label in sorted(classes - filled if filled & classes else ()):
        issues.append(Issue(kind="small_class", subject=label, detail="its folder holds no samples", drops=False))
    plural = "class" if len(filled) == 1 else "classes"
    sentence = f"{in_words(layout)}: {len(filled)} {plural}, {len(samples)} {field} files"
    sentence += said + "".join(f"; {name}/ as its {found.list} says" for name, found in listed.items())
    return Dataset(
        samples=tuple(sorted(samples, key=lambda sample: sample.id)),
        reader=FolderReader.name,
        root=os.path.abspath(source),
        recognised=sentence,
        issues=tuple(issues),
    )


def _read_plain(source: str, field: str) -> Dataset:
    issues: list[Issue] = []
    if os.path.isfile(source):
        paths, root = [source], os.path.dirname(os.path.abspath(source))
        samples = [Sample(id=os.path.basename(source), fields={field: os.path.abspath(source)})]
    else:
        paths, root = list(media_files(source, source, field, issues)), os.path.abspath(source)
        samples = [Sample(id=relative(path, source), fields={field: os.path.abspath(path)}) for path in paths]
    samples.sort(key=lambda sample: sample.id)
    sentence = f"{len(samples)} {field} file{'s' if len(samples) != 1 else ''}"
    return Dataset(samples=tuple(samples), reader="folder", root=root, recognised=sentence, issues=tuple(issues))


def media_files(folder: str, source: str, field: str, issues: list[Issue]) -> Iterator[str]:
    """Media files below `folder`. What cannot be used becomes an issue."""

    def report(path: str, reason: str) -> None:
        issues.append(Issue(kind="unreadable", subject=shown(relative(path, source)), detail=reason))

    for path in walk(folder, report):
        name = relative(path, source)
        if not is_text(path):
            issues.append(Issue(kind="bad_name", subject=shown(name), detail="rename it"))
        elif is_media(path, field):
            yield path
        else:
            kind = "not_an_image" if field == "image" else f"not_{field}"
            issues.append(Issue(kind=kind, subject=name, detail="not used", drops=False))


def shown(name: str) -> str:
    """A file's name that can be printed, whatever its bytes are."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
