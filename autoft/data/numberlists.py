"""Lists of files with a number each, in either order, as data sets of ratings have them: `5.51 i01_01_1.bmp`."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from autoft.data import advice, classnames
from autoft.data.media import SUFFIXES, entries, media_field, part_word, relative, root_of
from autoft.data.merge import unique_ids
from autoft.data.named import Files
from autoft.data.tablefiles import tables_in
from autoft.records import Dataset, Issue, ReadOptions, Sample

SUFFIX: Final = ".txt"
HEAD: Final = 50
"""Lines that are looked at, to see whether a file is a list."""
FEW: Final = 50
"""Text files in a folder beyond which they are no lists: they are about an image each."""
NUMBER: Final = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
FORMS: Final = (re.compile(rf"({NUMBER})[\s,;]+(.*\S)"), re.compile(rf"(.*\S?)[\s,;]+({NUMBER})"))
"""The number first, or last."""


class _List(NamedTuple):
    path: str
    split: str


class NumberListReader:
    """One list of all files, or one for each part by its name."""

    name = "numbers"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is such a list, or a folder with one, or an empty string."""
        lists = _find(source, options)
        shown = ", ".join(os.path.basename(one.path) for one in lists)
        return f"lists of {media_field(options.needs)} files and numbers: {shown}" if lists else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per line, `id` the path of the file below `source`.

        Raises:
            DataError: there is no such list.
        """
        lists, field = _find(source, options), media_field(options.needs)
        if not lists:
            raise advice.unrecognised(source, options)
        root = root_of(source)
        samples: list[Sample] = []
        issues: list[Issue] = []
        words = self.sniff(source, options)
        for one in lists:
            files = Files(one.path, root, field)
            for number, line in enumerate(classnames.lines(one.path), 1):
                where = f"{os.path.basename(one.path)} line {number}: {line}"
                cells = _cells(line, field)
                found = files.find(cells[0], one.split) if cells else None
                if not line.strip():
                    continue
                if not cells or not found or not found.path or not math.isfinite(cells[1]):
                    detail = found.reason if found else "no file and number"
                    issues.append(Issue(kind="missing" if found else "no_number", subject=where, detail=detail))
                    continue
                fields = {field: found.path, "value": cells[1]}
                samples.append(Sample(id=relative(found.path, root), fields=fields, split=one.split))
            words += files.sentence()
        words += f"; {len(samples)} files"
        return Dataset(unique_ids(samples), reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _find(source: str, options: ReadOptions) -> list[_List]:
    """The only list in the folder, or in one in it; or those that are named like parts, if training is one."""
    field = media_field(options.needs)
    if not field or set(options.needs) != {field, "value"} or options.optional or options.columns or options.group_col:
        return []
    if os.path.isfile(source):
        return [_List(source, "")] if source.lower().endswith(SUFFIX) and _is_list(source, field) else []
    if "\0" in source or not os.path.isdir(source) or tables_in(source):
        return []
    for folder in (source, *(entry.path for entry in entries(source) if entry.is_dir())):
        texts = [e.path for e in entries(folder) if e.is_file() and e.name.lower().endswith(SUFFIX)]
        texts = texts if len(texts) <= FEW else []
        found = [_List(path, part_word(os.path.splitext(os.path.basename(path))[0])) for path in texts]
        found = [one for one in found if _is_list(one.path, field)]
        parts = [one for one in found if one.split]
        if len(found) == 1:
            return [found[0]._replace(split="")]
        if len(parts) == len({one.split for one in parts}) and any(one.split == "train" for one in parts):
            return parts
    return []


def _is_list(path: str, field: str) -> bool:
    head = classnames.head(path, HEAD)
    return len(head) > 1 and all(_cells(line, field) for line in head)


def _cells(line: str, field: str) -> tuple[str, float] | None:
    """The file and its number, or None where a line is something else."""
    for name, number in _split(line.strip()):
        if os.path.splitext(name)[1].lower() in SUFFIXES[field]:
            return name, float(number)
    return None


def _split(line: str) -> Iterator[tuple[str, str]]:
    first, last = (form.fullmatch(line) for form in FORMS)
    if first:
        yield first[2].strip("\"'"), first[1]
    if last:
        yield last[1].strip("\"'"), last[2]
