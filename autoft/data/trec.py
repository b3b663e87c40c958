"""Questions of TREC (Li and Roth, 2002), in each line a class on two levels and a text: `DESC:manner How did ...`."""

from __future__ import annotations

import os
import re
from typing import Final

from autoft.data import advice, classnames
from autoft.data.media import entries, part_of, root_of
from autoft.errors import DataError, UsageError
from autoft.records import Dataset, Issue, ReadOptions, Sample
from autoft.vocab import did_you_mean

SUFFIXES: Final = (".label", ".txt")
LINE: Final = re.compile(r"([A-Z]{2,}):([A-Za-z]+)\s+(\S.*)")
HEAD: Final = 20
COARSE: Final = "coarse"
FINE: Final = "fine"


class TrecReader:
    """`--target` names the level; none is taken unasked."""

    name = "trec"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is such lines, a file or a folder, or an empty string. Looks at first lines."""
        found, _ = _files(source, options)
        names = " and ".join(os.path.basename(path) for path in found)
        return f"a class on two levels, then a text, in each line of {names}" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each line, `id` the file and the line. Of several files for training the largest counts.

        Raises:
            DataError: there are no such files, or no level is named.
            UsageError: there is no such level.
        """
        files, left_out = _files(source, options)
        if not files:
            raise advice.unrecognised(source, options)
        remembered = options.remembered.get("label", "")
        level = options.columns.get("label") or (remembered if remembered in (COARSE, FINE) else "")
        samples: list[Sample] = []
        issues: list[Issue] = []
        classes: dict[str, set[str]] = {COARSE: set(), FINE: set()}
        for path, split in files.items():
            lines, guessed = classnames.told_lines(path, options.encoding)
            issues += guessed
            for number, line in enumerate(lines, 1):
                where = f"{os.path.basename(path)} line {number}"
                parts = LINE.fullmatch(line)
                if not parts:
                    issues.append(Issue(kind="no_label", subject=where, detail=line[:80]))
                    continue
                label = {COARSE: parts[1], FINE: f"{parts[1]}:{parts[2]}"}
                for name, value in label.items():
                    classes[name].add(value)
                fields = {"text": parts[3].strip(), "label": label.get(level, "")}
                samples.append(Sample(id=where, fields=fields, split=split))
        _check(level, {name: len(values) for name, values in classes.items()}, source)
        words = f"{self.sniff(source, options)}: {level} is taken, {len(classes[level])} classes, {len(samples)} texts"
        words += f"; not read: {', '.join(map(os.path.basename, left_out))}" if left_out else ""
        root = root_of(source)
        return Dataset(tuple(samples), reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _check(level: str, numbers: dict[str, int], source: str) -> None:
    shown = ", ".join(f"{name} ({number} classes)" for name, number in numbers.items())
    if not level:
        raise DataError(
            f"the classes of '{source}' are told on two levels, and one must be named: {shown}.",
            f"Name it: --target {COARSE} or --target {FINE}",
        )
    if level not in numbers:
        near = did_you_mean(level, list(numbers))
        raise UsageError(f"--target must be a level of '{source}', but got '{level}'.{near}", f"It has: {shown}")


def _files(source: str, options: ReadOptions) -> tuple[dict[str, str], list[str]]:
    """Path -> part, and paths that are left out: smaller portions of the training part."""
    fits = options.needs == ("text", "label") and not options.optional and not options.group_col
    if not fits or options.columns.keys() - {"label"} or "\0" in source or not os.path.exists(source):
        return {}, []
    paths = [e.path for e in entries(source) if e.is_file()] if os.path.isdir(source) else [source]
    found = [path for path in paths if path.lower().endswith(SUFFIXES) and _is_trec(path)]
    parts = {path: part_of(os.path.splitext(os.path.basename(path))[0]) for path in found}
    if len(found) < 2 or "train" not in parts.values():
        return (dict.fromkeys(found, ""), []) if len(found) == 1 else ({}, [])
    largest = max((path for path in found if parts[path] == "train"), key=os.path.getsize)
    kept = {path: part or "test" for path, part in parts.items() if part != "train" or path == largest}
    return kept, [path for path in found if path not in kept]


def _is_trec(path: str) -> bool:
    head = classnames.head(path, HEAD)
    return bool(head) and all(map(LINE.fullmatch, head))
