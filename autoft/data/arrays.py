"""Pictures in arrays: `train_images` and `train_labels` in one `.npz` (MedMNIST), `x_train.npy`, MNIST's idx files."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from autoft.data import advice, classnames, columns, jsonlines, rasters, stacks, unpack
from autoft.data.labels import FIELD as LABELS
from autoft.data.media import is_media, part_of, relative, root_of, split_word, walk, words_of
from autoft.data.named import Files
from autoft.data.roles import Source
from autoft.data.rows import told
from autoft.data.stacks import Stack
from autoft.data.tablefiles import tables_in
from autoft.data.tabular import Table
from autoft.errors import DataError
from autoft.records import Dataset, ReadOptions

if TYPE_CHECKING:
    from autoft.contracts import Array

TARGETS: Final = ({"label"}, {LABELS}, {"value"})
PIXELS: Final = "pixels"
"""The column of pictures."""
LABEL: Final = "label"
"""The column of the only array beside them."""
PROBE: Final = 1000
"""Pictures that show whether white is 255."""
WIDEST: Final = 1000
"""Columns that an array beside the pictures may have."""
TENTH: Final = re.compile(r"t10k", re.IGNORECASE)
"""How MNIST calls its test part."""
NAMED: Final = {
    LABEL: "batches.meta.txt",
    "coarse_label": "coarse_label_names.txt",
    "fine_label": "fine_label_names.txt",
}
"""Column -> file beside CIFAR's that names its classes."""


class _File(NamedTuple):
    path: str
    split: str


class _Part(NamedTuple):
    name: str
    path: str
    split: str
    pictures: Stack
    beside: tuple[tuple[str, Stack], ...]


class ArrayReader:
    """NumPy's files, MNIST's idx files and CIFAR's binary ones. Pictures are written into the cache as files, once."""

    name = "arrays"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is arrays of pictures, or an empty string. Looks at names; where pictures or
        tables lie below `source` it is none."""
        if set(options.needs) - {"image"} not in TARGETS or "image" not in options.needs:
            return ""
        found = _paths(source)
        names = [relative(path, source) if os.path.isdir(source) else os.path.basename(path) for path in found]
        return f"arrays of pictures: {columns.shown(names)}" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per picture, `id` the file and its place.

        Raises:
            DataError: it cannot be told which array is what, or one is damaged.
            UsageError: a column that was named does not exist, or the cache cannot be written.
        """
        if not _paths(source):
            raise advice.unrecognised(source, options)
        parts = _parts(_files(source), source)
        white = max(_white(part) for part in parts)
        sources, start = [], 1
        for part in parts:
            sources.append(Source(_table(part, white, start), part.split, Files(part.path, source, "image")))
            start += part.pictures.shape[0]
        for one in sources:
            options = columns.remembering(options, one.table.columns, one.table.path)
        found = told(sources, [part.name for part in parts], source, options)
        return Dataset(
            samples=found.samples,
            reader=self.name,
            root=root_of(source),
            recognised="; ".join(found.sentences),
            issues=found.issues,
            columns=found.columns,
            names=found.names,
        )


def _paths(source: str) -> list[str]:
    """The files of arrays, of the first kind that there is; none where pictures or tables say more."""
    if os.path.isfile(source):
        return [source] if stacks.is_stack(source) else []
    if not os.path.isdir(source) or tables_in(source):
        return []
    found: list[str] = []
    for path in walk(source):
        if is_media(path, "image"):
            return []
        if stacks.is_stack(path):
            found.append(path)
    kinds = [[path for path in found if path.lower().endswith(suffix)] for suffix in stacks.NUMPY]
    return next((kind for kind in kinds if kind), found)


def _files(source: str) -> list[_File]:
    """The files that belong together, and which part each is by its own name.

    Raises:
        DataError: there are several sets of them.
    """
    paths = _paths(source)
    if os.path.isfile(source) and not source.lower().endswith(".npz"):
        folder = os.path.dirname(os.path.abspath(source))
        paths = [path for path in _paths(folder) if os.path.dirname(path) == folder] or paths
        paths = [path for path in paths if _set(path) == _set(source)]
    plain = {path.removesuffix(".gz"): path for path in sorted(paths, reverse=True)}
    paths = sorted(plain.values())  # idx files often lie unpacked beside those that are packed
    packed = [path for path in paths if path.lower().endswith(".npz")]
    sets = sorted({(os.path.dirname(path), _set(path)) for path in paths})
    splits = [_split(path) for path in packed]
    if (packed and len(packed) > 1 and ("" in splits or len({*splits}) < len(splits))) or (
        not packed and len(sets) > 1
    ):
        shown = columns.shown([relative(path, source) for path in paths])
        raise DataError(
            f"the arrays in '{source}' must be one set of pictures, but there are several: {shown}.",
            f"Name one of them: {paths[0]}",
        )
    return [_File(path, _split(path)) for path in paths]


def _split(path: str) -> str:
    name = os.path.basename(path).lower()
    if TENTH.search(name):
        return "test"
    return "train" if name.startswith("data_batch") else part_of(name.split(".")[0])


def _set(path: str) -> str:
    """What the names of files of one set have in common: `emnist-letters` of `emnist-letters-train-images-idx3-ubyte`;
    nothing where the set is a whole folder."""
    name = os.path.basename(path).lower()
    if not stacks.IDX.fullmatch(name):
        return ""
    return re.split(r"(train|test|t10k|valid|val|images|labels)", name)[0].strip("-_. ")


def _parts(files: Sequence[_File], source: str) -> list[_Part]:
    """The arrays of each part: pictures, and what is said of them.

    Raises:
        DataError: no array is pictures, or several of a part are.
    """
    groups: dict[tuple[str, str], list[tuple[Stack, str]]] = defaultdict(list)
    for file in files:
        whole = not (file.path.lower().endswith(".npy") or stacks.IDX.fullmatch(os.path.basename(file.path)))
        for stack in stacks.opened(file.path):
            groups[(_split(stack.name) or file.split, file.path if whole else "")].append((stack, file.path))
    found = [part for (split, _), group in groups.items() if (part := _part(group, split))]
    if not found:
        shapes = ", ".join(f"{stack.name} {stack.shape}" for group in groups.values() for stack, _ in group)
        raise DataError(
            f"an array in '{source}' must be pictures, one behind the other, but none is: {shapes or 'it is empty'}.",
            "Pictures have the shape (pictures, height, width) or (pictures, height, width, 3).",
        )
    return [part for part in found if part.split] or found


def _part(group: Sequence[tuple[Stack, str]], split: str) -> _Part | None:
    pictures = [one for one in group if len(one[0].shape) > 2]
    pictures = pictures or [one for one in group if len(one[0].shape) == 2 and rasters.square(one[0].shape[1])]
    if len(pictures) > 1:
        raise DataError(
            f"one array of '{pictures[0][1]}' must be the pictures, but several could be: "
            + ", ".join(f"{stack.name} {stack.shape}" for stack, _ in pictures)
            + ".",
            "Write the others into a file of their own.",
        )
    if not pictures:
        return None
    (main, path), count = pictures[0], pictures[0][0].shape[0]
    beside = [s for s, _ in group if s is not main and 0 < len(s.shape) < 3 and s.shape[0] == count]
    beside = [stack for stack in beside if len(stack.shape) == 1 or stack.shape[1] <= WIDEST]
    names = [LABEL] if len(beside) == 1 else [_plain(stack.name) for stack in beside]
    name = os.path.basename(path) + (f" {split}" if split and not part_of(os.path.basename(path)) else "")
    return _Part(name, path, split, main, tuple(zip(names, beside, strict=True)))


def _plain(name: str) -> str:
    """What an array is called apart from its part: `y` of `y_train`."""
    return "_".join(word for word in words_of(name) if not split_word(word)) or LABEL


def _white(part: _Part) -> int:
    where = f"'{part.pictures.name}' of '{part.path}'"
    if part.pictures.bytes and (first := rasters.top(islice(part.pictures.rows(), PROBE), where)) > 16:
        return first
    return rasters.top(part.pictures.rows(), where)


def _shape(part: _Part) -> rasters.Shape:
    axes = part.pictures.shape[1:]
    if len(axes) == 1 and (flat := rasters.square(axes[0])):
        return rasters.laid(flat, list(islice(part.pictures.rows(), rasters.PROBE)))
    if len(axes) == 2:
        return rasters.Shape(*axes)
    if len(axes) == 3 and axes[2] in (1, 3):
        return rasters.Shape(*axes)
    if len(axes) == 3 and axes[0] in (1, 3):
        return rasters.Shape(axes[1], axes[2], axes[0], planes=axes[0] == 3)
    raise DataError(
        f"pictures must have one colour or three, but '{part.pictures.name}' in '{part.path}' has the shape "
        f"{part.pictures.shape}.",
        "Shapes that are read: (pictures, height, width), the same with 1 or 3 behind, or before height and width.",
    )


def _table(part: _Part, white: int, start: int) -> Table:
    """A part as a table: what is said of the pictures, and files of them.

    Args:
        start: number of its first row, which no other part may have.
    """
    shape = _shape(part)
    key = f"{unpack.digest(part.path)}|{part.pictures.name}"
    files = rasters.files(key, shape, white, part.pictures.rows())
    cells: dict[str, list[str]] = {}
    for name, stack in part.beside:
        cells |= _columns(name, stack, os.path.dirname(part.path))
    rows = tuple(zip(*cells.values(), files, strict=True))
    words = f"arrays, each picture {shape.said()}" + (f", white is {white}" if white not in (1, 255) else "")
    return Table(part.path, (*cells, PIXELS), rows, tuple(range(start, start + len(rows))), words, (), (PIXELS,))


def _columns(name: str, stack: Stack, folder: str) -> dict[str, list[str]]:
    """The columns of an array: one, or one for each place in its rows, `label 1` to `label 14`."""
    rows = [row.reshape(-1) for row in stack.rows()]
    names_file = os.path.join(folder, NAMED.get(name, ""))
    told = classnames.lines(names_file) if name in NAMED and os.path.isfile(names_file) else []
    if stack.shape[1:] in ((), (1,)):
        return {name: [_word(row[0], told) for row in rows]}
    return {f"{name} {place + 1}": [_word(row[place], []) for row in rows] for place in range(stack.shape[1])}


def _word(value: Array, names: Sequence[str]) -> str:
    """What a number or a word says; whole ones without a point."""
    found: Any = value.item()
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace").strip()
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if names and isinstance(found, int) and 0 <= found < len(names):
        return names[found] or str(found)
    return jsonlines.word(found)
