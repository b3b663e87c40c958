"""Names of files that say several things, `anna_beep_03.wav`: which of these is the class, the user says by its place,
`--target 2`; and which of them names speakers or other groups, `--group-col 1`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Final

from autoft.data import advice, people
from autoft.data.folder import media_files
from autoft.data.media import entries, is_media, media_field, part_word, relative, walk
from autoft.data.tablefiles import is_table
from autoft.errors import DataError
from autoft.records import Dataset, Issue, ReadOptions, Sample

BETWEEN: Final = re.compile(r"[_.\-\s]+")
PEEK: Final = 50
"""Files of which one must have such a part."""
SHOWN: Final = 3
"""Words of each place that are shown."""


class NameFieldReader:
    """The class is the part of a file's name that `--target` counts, from 1 on."""

    name = "name-parts"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why the names say it, or an empty string: a number is the target, and there is no table."""
        place, field = _place(options), media_field(options.needs)
        if not place or "\0" in source or not os.path.isdir(source) or any(is_table(e.name) for e in entries(source)):
            return ""
        some = islice((path for path in walk(source) if is_media(path, field)), PEEK)
        return f"part {place} of the names of files" if any(len(parts(path)) >= place for path in some) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per file, `id` its path below `source`.

        Raises:
            DataError: the names have no such part.
        """
        said, place, field = self.sniff(source, options), _place(options), media_field(options.needs)
        if not said:
            raise advice.unrecognised(source, options)
        grouped = int(options.group_col) if options.group_col.isdecimal() else 0
        samples, issues = list[Sample](), list[Issue]()
        for path in sorted(media_files(source, source, field, issues)):
            found, name = parts(path), relative(path, source)
            if len(found) < max(place, grouped):
                issues.append(Issue(kind="no_label", subject=name, detail=f"its name has {len(found)} parts"))
                continue
            fields = {field: os.path.abspath(path), "label": found[place - 1]}
            group = found[grouped - 1] if grouped else ""
            samples.append(Sample(id=name, fields=fields, split=_part(name), group=group))
        if not samples:
            raise DataError(
                f"the names of the files in '{source}' must have {max(place, grouped)} parts, but none has."
            )
        counts = Counter(str(sample.fields["label"]) for sample in samples)
        words = f"classes by {said}: {len(counts)} classes ({_shown(counts)}), {len(samples)} {field} files"
        words += f"; groups by part {grouped}" if grouped else ""
        return Dataset(
            samples=tuple(samples),
            reader=self.name,
            root=os.path.abspath(source),
            recognised=words,
            issues=tuple(issues),
            columns={"label": str(place)},
        )


def parts(path: str) -> list[str]:
    """What stands between the marks of a file's name, without its suffix."""
    return [word for word in BETWEEN.split(os.path.splitext(os.path.basename(path))[0]) if word]


def choices(paths: Sequence[str]) -> str:
    """How a user names one of the places, with some words of each that come again: `--target 2 (beep, chirp, ...)`."""
    rows = [parts(path) for path in paths]
    told = []
    for place in range(min(map(len, rows), default=0)):
        counts = Counter(row[place] for row in rows)
        if 1 < len(counts) <= len(rows) / 2 and not all(word.isdecimal() for word in counts):
            told.append(f"--target {place + 1} ({_shown(counts)})")
    return " or ".join(told)


def _shown(counts: Counter[str]) -> str:
    return ", ".join(sorted(counts)[:SHOWN]) + (", ..." if len(counts) > SHOWN else "")


def _place(options: ReadOptions) -> int:
    """Which part is the class, as the user says it now, or said it when a model was trained on parts of names; 0 where
    none is asked for. A table's column can be called by a number as well: there the file has a column, too."""
    field = media_field(options.needs)
    if not field or {*options.needs} != {field, "label"} or options.optional:
        return 0
    learned = options.remembered.get("label", "")
    named = options.columns.get("label") or (learned if options.guessed == {"label": learned} else "")
    other = options.group_col not in ("", people.NONE) and not options.group_col.isdecimal()
    return int(named) if named.isdecimal() and not other and set(options.columns) <= {"label"} else 0


def _part(name: str) -> str:
    """Which part of the data the folders above a file say."""
    return next((part_word(word) for word in reversed(name.split(os.sep)[:-1]) if part_word(word)), "")
