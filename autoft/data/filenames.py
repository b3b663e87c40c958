"""Labels in the names of files alone: `cat.0.jpg`, `great_pyrenees_104.jpg`, `7_jackson_12.wav`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from autoft.data import advice, namefields
from autoft.data.folder import media_files
from autoft.data.foldernames import is_container
from autoft.data.media import entries, is_media, is_text, media_field, part_word, relative, walk
from autoft.data.tablefiles import is_example, is_sheet, is_table
from autoft.errors import DataError
from autoft.records import Dataset, Issue, ReadOptions, Sample

NAME: Final = re.compile(r"(.*?[^\W_])[_.\-\s]*[_.\-\s(](\d+)\)?")
"""What stands before a number at the end."""
WORD: Final = re.compile(r"[^\W\d_]+|n\d{8}")
"""A part of a label: letters, or a synset of WordNet. `0a7c2a8d` and `p12` are ids."""
LEAST: Final = 2
"""Files of each class."""
FULL: Final = 0.9
"""Share of the pairs of two parts of names that must occur, for the parts to say two things."""
_PLAIN: Final = (
    "img image images imgp cimg mvimg dsc dscn dscf pxl dcim photo photos pic picture pict frame frames scan snap "
    "capture screenshot whatsapp webcam cam camera gopr vid video mov file sample samples rec record recording audio "
    "clip clips track sound voice wav data item test train val valid part copy untitled unnamed new edited out output "
    "result crop mask label fold batch page id no nr at of and am pm"
)
PLAIN: Final = frozenset(_PLAIN.split())
"""Words that cameras and programs begin names with: alone they are no class."""


class _Told(NamedTuple):
    labels: dict[str, str]
    """Path -> class."""
    form: str
    """How a name is read, for the user."""
    other: tuple[str, str] = ("", "")
    """Two ways to read the same name, where there are two."""
    left_out: tuple[str, ...] = ()
    """Parts in which no name says a class."""


class FileNameReader:
    """The class is what stands before the number in a file's name. For data whose classes nothing else tells."""

    name = "names"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why the names below `source` say classes, or an empty string. All files must lie in one folder,
        or in folders of parts, and each must say a class that others say as well."""
        found = None if options.optional else _look(source, options)
        return f"classes by the names of files ({found.form})" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per file, `id` its path below `source`.

        Raises:
            DataError: names say no classes, or can be read in two ways.
        """
        found, field = _look(source, options), media_field(options.needs)
        if not found:
            raise advice.unrecognised(source, options)
        if any(found.other):
            places = namefields.choices([*found.labels])
            told = f"{places}; --group-col 1 keeps what is alike in part 1, such as a speaker, in one part"
            raise DataError(
                f"the names of the {field} files in '{source}' must say their class in one way, but one of them can "
                f"mean '{found.other[0]}' as well as '{found.other[1]}'.",
                (f"Say which part of the names is the class: {told}. Else: " if places else "")
                + f"{advice.layout(field)}, or list them in a CSV file with the columns {field},label.",
            )
        samples = tuple(
            Sample(
                id=relative(path, source),
                fields={field: os.path.abspath(path), "label": label},
                split=_part(path, source),
            )
            for path, label in sorted(found.labels.items())
        )
        issues: list[Issue] = []
        list(media_files(source, source, field, issues))
        shown = Counter(found.labels.values())
        words = f"classes by the names of files, as nothing else tells them ({found.form}): {len(shown)} classes ("
        words += ", ".join(sorted(shown)[:5]) + (", ..." if len(shown) > 5 else "") + f"), {len(samples)} {field} files"
        words += "".join(f"; {part} is left out, its names say no class" for part in found.left_out)
        root = os.path.abspath(source)
        return Dataset(samples=samples, reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _look(source: str, options: ReadOptions) -> _Told | None:
    field = media_field(options.needs)
    if not field or {*options.needs} != {field, "label"} or options.columns or options.group_col:
        return None
    if not os.path.isdir(source) or any(_tells(e.name) for e in entries(source)):
        return None
    paths = [path for path in walk(source) if is_media(path, field) and is_text(path)]
    if len(paths) < 2 * LEAST or not _flat(paths):
        return None
    bare = {part for part in ("val", "test") if not _any_named(paths, part, source)}
    kept = [path for path in paths if _part(path, source) not in bare]
    told = _told(kept)
    gone = sorted({_part(path, source) for path in paths} & bare)
    return told._replace(left_out=tuple(gone)) if told else None


def _tells(name: str) -> bool:
    """Whether a file may say classes better than names do."""
    return (is_table(name) and not is_example(name)) or is_sheet(name)


def _flat(paths: Sequence[str]) -> bool:
    """Whether the files lie in one folder, or in folders of parts and such as hold files of all classes."""
    top = os.path.commonpath([os.path.dirname(path) for path in paths])
    below = {part for path in paths for part in os.path.relpath(os.path.dirname(path), top).split(os.sep)} - {"."}
    return all(part_word(name) or is_container(name) for name in below)


def _any_named(paths: Sequence[str], part: str, source: str) -> bool:
    return any(_head(path) for path in paths if _part(path, source) == part)


def _told(paths: Sequence[str]) -> _Told | None:
    heads = {path: _head(path) for path in paths}
    if not paths or not all(heads.values()):
        return None
    if all(WORD.fullmatch(part) for head in heads.values() for part in head):
        if any(PLAIN.issuperset(part.lower() for part in head) for head in heads.values()):
            return None
        label = {path: written(path) for path in paths}
        found = _Told(label, "what stands before the number")
        if _crossed(heads.values()):
            first = next(path for path, head in heads.items() if len(head) > 1)
            found = found._replace(other=(heads[first][0], label[first]))
    elif all(head[0].isdigit() and all(map(WORD.fullmatch, head[1:])) for head in heads.values()):
        if len({head[1:] for head in heads.values()}) > 1 and not _crossed(heads.values()):
            return None
        found = _Told({path: head[0] for path, head in heads.items()}, "the number at the beginning")
    else:
        return None
    times = Counter(found.labels.values())
    return found if len(times) > 1 and min(times.values()) >= LEAST else None


def _head(path: str) -> tuple[str, ...]:
    """The parts of a name before its last number; none where it has no number at its end."""
    whole = written(path)
    return tuple(re.split(r"[_.\-\s]+", whole)) if whole else ()


def written(path: str) -> str:
    """What stands before the last number of a file's name; empty where it does not end in one."""
    found = NAME.fullmatch(os.path.splitext(os.path.basename(path))[0])
    return found[1] if found else ""


def _crossed(heads: Collection[tuple[str, ...]]) -> bool:
    """Whether names have a first part and a rest which go together in nearly all ways, as digits and speakers do."""
    pairs = {(head[0], head[1:]) for head in heads}
    firsts, rests = {first for first, _ in pairs}, {rest for _, rest in pairs}
    return () not in rests and min(len(firsts), len(rests)) > 1 and len(pairs) >= FULL * len(firsts) * len(rests)


def _part(path: str, source: str) -> str:
    folders = os.path.relpath(os.path.dirname(path), source).split(os.sep)
    return next((part_word(name) for name in reversed(folders) if part_word(name)), "")
