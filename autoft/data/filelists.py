"""Lists of files, a path and a class in each line, as ImageNet and its kin have them: `train.txt`, `val_list.txt`."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from autoft.data import advice, classnames
from autoft.data.filenames import written
from autoft.data.layout import find_layout
from autoft.data.media import SUFFIXES, entries, media_field, part_word, relative, root_of
from autoft.data.merge import unique_ids
from autoft.data.named import ASIDE, Files
from autoft.data.tablefiles import tables_in
from autoft.records import Dataset, Issue, ReadOptions, Sample

SUFFIX: Final = ".txt"
NAMES: Final = tuple(
    f"{word}.txt" for word in "classes class_names classnames labels label_names names categories synsets".split()
)
MOST: Final = 0.9
"""Share of the first lines that must be a path and a class."""
CELLS: Final = 2
"""Tabs in each line beyond which a file is a table."""
HEAD: Final = 1 << 16
"""Bytes of a file that are looked at, to see whether it is a list."""
FEW: Final = 20
"""Text files in a folder beyond which one without the name of a part is no list: they are labels beside images."""
HIDDEN: Final = frozenset({"", "-1", "?"})
"""In place of classes that are not told."""


class _List(NamedTuple):
    path: str
    split: str
    bare: bool = False
    """Its paths have no suffix."""


class _Line(NamedTuple):
    number: int
    file: str
    label: str


class FileListReader:
    """The parts are the names of the lists; numbered classes are named in `classes.txt`, or by the folders."""

    name = "lists"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is lists of files, or one such list, or an empty string. Looks at first lines. For
        prediction a folder is all the files in it, whatever lists say."""
        if options.optional and os.path.isdir(source):
            return ""
        return _in_words(source, _find(source, options), media_field(options.needs))

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per line, `id` the path of the file below `source`. A list without classes is left out.

        Raises:
            DataError: there are no such lists.
        """
        lists, field = _find(source, options), media_field(options.needs)
        if not lists:
            raise advice.unrecognised(source, options)
        words = _in_words(source, lists, field)
        root = root_of(source)
        samples: list[Sample] = []
        issues: list[Issue] = []
        for one in lists:
            found = list(_lines(one.path, field, one.bare))
            if not options.optional and all(line.label in HIDDEN for line in found):
                words += f"; {_name(one, source)} has no classes and is left out"
                continue
            files = Files(one.path, root, field)
            for line in found:
                where = f"{_name(one, source)} line {line.number}: {line.file}"
                sample = _sample(line, files, one.split, options, where)
                if isinstance(sample, Issue):
                    issues.append(sample)
                else:
                    samples.append(sample)
            words += files.sentence()
        samples, by_name = _by_name(samples, field)
        words += by_name
        known, said = _names(samples, [root, *(os.path.dirname(one.path) for one in lists)], field)
        named = [classnames.renamed(sample, known) for sample in samples]
        classes = {sample.fields["label"] for sample in named if "label" in sample.fields}
        return Dataset(
            samples=unique_ids(named),
            reader=self.name,
            root=root,
            recognised=f"{words}; {len(classes)} classes, {len(named)} files{said}",
            issues=tuple(issues),
        )


def _in_words(source: str, lists: list[_List], field: str) -> str:
    return f"lists of {field} files and classes: {', '.join(_name(one, source) for one in lists)}" if lists else ""


def _sample(line: _Line, files: Files, split: str, options: ReadOptions, where: str) -> Sample | Issue:
    """The sample of one line, or what is wrong with it."""
    if not line.label and not options.optional:
        return Issue(kind="no_label", subject=where, detail="a path alone")
    told = files.find(line.file, split)
    if not told.path:
        return Issue(kind=told.kind, subject=where, detail=told.reason)
    fields = {files.medium: told.path} | ({"label": line.label} if line.label else {})
    return Sample(id=_id(told.path, files.root), fields=fields, split=split)


def _find(source: str, options: ReadOptions) -> list[_List]:
    """The lists of the folder, or of one in it that holds such things; those named like parts if training is one, else
    the only one, where neither class folders nor a table say the classes."""
    field = media_field(options.needs)
    if not field or {*options.needs} != {field, "label"} or options.columns or options.group_col:
        return []
    if not os.path.exists(source):
        return []
    if os.path.isfile(source):
        fits = source.lower().endswith(SUFFIX) and _is_list(source, field, classes=not options.optional)
        return [_List(source, "")] if fits else []
    folders = [source, *(e.path for e in entries(source) if e.is_dir() and e.name.lower() in ASIDE)]
    files = Files(os.path.join(source, "list"), source, field)
    for folder in folders:
        texts = [e for e in entries(folder) if e.is_file() and e.name.lower().endswith(SUFFIX)]
        for bare in (None, files):
            parts = _parts([e.path for e in texts], bare is not None)
            if any(one.split == "train" and _is_list(one.path, field, bare) for one in parts):
                return [one for one in parts if _is_list(one.path, field, bare, classes=False)]
            few = texts if len(texts) <= FEW else []
            alone = [_List(e.path, "", bare is not None) for e in few if _is_list(e.path, field, bare)]
            if len(alone) == 1 and not parts and not tables_in(source) and not find_layout(source, field):
                return alone
    return []


def _parts(paths: list[str], bare: bool) -> list[_List]:
    """Those named like parts. `trainval` trains where nothing else does."""
    stems = {path: os.path.splitext(os.path.basename(path))[0] for path in paths}
    found = [_List(path, part, bare) for path, stem in stems.items() if (part := part_word(stem))]
    if all(one.split != "train" for one in found):
        found += [_List(path, "train", bare) for path, stem in stems.items() if stem.lower() == "trainval"]
    return found


def _is_list(path: str, field: str, files: Files | None = None, classes: bool = True) -> bool:
    """Whether nearly all lines are a path, with a class that comes again; or a path at least.

    Args:
        files: to look for paths without suffixes.
    """
    with open(path, "rb") as file:
        head = file.read(HEAD)
    lines = [line for line in head.decode("utf-8", "replace").splitlines() if line.strip()]
    lines = [line for line in (lines[:-1] if len(head) == HEAD else lines) if not line.startswith("#")]
    found = [cells for line in lines if (cells := _bare_cells(line) if files else _cells(line, field))]
    if not lines or b"\0" in head or len(found) < MOST * len(lines) or all(line.count("\t") > CELLS for line in lines):
        return False
    labels = [label for _, label in found if label]
    fit = len(labels) >= MOST * len(found) and 1 < 2 * len(set(labels)) <= len(labels)
    fit = (fit and (all(map(_is_class, labels)) or _agree(found))) if classes else True
    return fit and (not files or files.share([name for name, _ in found]) >= MOST)


def _agree(found: list[tuple[str, str]]) -> bool:
    """Whether lines have several numbers, and one of them says the same as what the files' names begin with."""
    numbers = [label.split() for _, label in found]
    if len({len(cells) for cells in numbers}) != 1 or not all(cell.isdigit() for cells in numbers for cell in cells):
        return False
    words = [written(name) for name, _ in found]
    for cells in zip(*numbers, strict=True):
        pairs = set(zip(words, cells, strict=True))
        if all(words) and len(pairs) == len(set(words)) == len(set(cells)) > 1:
            return True
    return False


def _by_name(samples: list[Sample], field: str) -> tuple[list[Sample], str]:
    """The samples with the words of their files' names as classes, where lines have several numbers (`_agree`)."""
    found = [(str(sample.fields[field]), str(sample.fields.get("label", ""))) for sample in samples]
    if not found or any(len(label.split()) < 2 for _, label in found) or not _agree(found):
        return samples, ""
    named = [
        msgspec.structs.replace(sample, fields={**sample.fields, "label": written(str(sample.fields[field]))})
        for sample in samples
    ]
    return named, "; the classes are what the files' names begin with, as a number of each line agrees"


def _is_class(label: str) -> bool:
    """One number, or words; not several numbers, another file or cells of a wider table."""
    words = label.split()
    numbers = sum(bool(re.fullmatch(r"[-+]?[\d.,]+", word)) for word in words)
    whole = len(words) == 1 and bool(re.fullmatch(r"-?\d+", label))
    other = os.path.splitext(label)[1].lower() in SUFFIXES["image"] | SUFFIXES["audio"]
    return not other and "\t" not in label and (whole or not numbers or numbers < len(words))


@lru_cache(maxsize=4)
def _form(field: str) -> re.Pattern[str]:
    suffixes = "|".join(re.escape(suffix) for suffix in sorted(SUFFIXES[field], reverse=True))
    return re.compile(rf"\s*(.+?(?:{suffixes}))(?:\s+(.*\S))?\s*", re.IGNORECASE)


def _cells(line: str, field: str) -> tuple[str, str] | None:
    """The path and the class in a line, empty where it has none; None where it begins with no path."""
    found = _form(field).fullmatch(line)
    return (found[1].strip("\"'"), (found[2] or "").strip("\"'")) if found else None


def _bare_cells(line: str) -> tuple[str, str] | None:
    """The first word of a line, and what stands behind it."""
    name, *label = line.split(maxsplit=1)
    return name, label[0].strip().strip("\"'") if label else ""


def _lines(path: str, field: str, bare: bool) -> Iterator[_Line]:
    for number, line in enumerate(classnames.lines(path), 1):
        if line and not line.startswith("#"):
            yield _Line(number, *((_bare_cells(line) if bare else _cells(line, field)) or (line, "")))


def _names(samples: list[Sample], folders: list[str], field: str) -> tuple[Mapping[str, str], str]:
    """Number -> name of the class, and in words where the names are from; empty where classes have names."""
    samples = [sample for sample in samples if "label" in sample.fields]
    numbers = {str(sample.fields["label"]) for sample in samples}
    if not numbers or not all(number.isdigit() for number in numbers):
        return {}, ""
    path, told = classnames.named(numbers, list(dict.fromkeys(folders)), NAMES)
    if path:
        return told, f"; {os.path.basename(path)} names the classes"
    above: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.split in ("", "train"):
            above[str(sample.fields["label"])].add(os.path.basename(os.path.dirname(str(sample.fields[field]))))
    single = {number: names.copy().pop() for number, names in above.items() if len(names) == 1}
    if len(single) == len(numbers) == len(set(single.values())) > 1:
        return single, "; their folders name the classes"
    return {}, ""


def _name(one: _List, source: str) -> str:
    return _id(one.path, source) if os.path.isdir(source) else os.path.basename(source)


def _id(path: str, root: str) -> str:
    name = relative(path, root)
    return path if name.startswith("../") else name
