"""Files that hold samples as numbers: NumPy's `.npz` and `.npy`, the idx files of MNIST, CIFAR's binary version.

Nothing in them is run: Python objects, which NumPy would unpickle, are refused. Pictures are read one after the other.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from autoft.errors import DataError

if TYPE_CHECKING:
    from autoft.contracts import Array

LARGEST: Final = 16 << 30
"""Bytes that one array may have: what claims more is refused before anything is read."""
AT_ONCE: Final = 1 << 30
"""Bytes of an array that can only be read as a whole."""
HEADER: Final = 1 << 16
"""Bytes that the header of an array may have."""
NUMPY: Final = (".npz", ".npy")
IDX: Final = re.compile(r".*idx\d-ubyte(\.gz)?", re.IGNORECASE)
IDX_TYPES: Final = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CIFAR: Final = {re.compile(r"(data|test)_batch(_\d+)?\.bin"): 1, re.compile(r"(train|test)\.bin"): 2}
"""Names of the files, and how many numbers of classes stand before each picture."""
CIFAR_SHAPE: Final = (3, 32, 32)


class Stack(NamedTuple):
    """An array, of which the first axis counts samples."""

    name: str
    shape: tuple[int, ...]
    rows: Callable[[], Iterator[Array]]
    """Its samples, one after the other, as often as they are asked for."""
    bytes: bool = False
    """Of small numbers that cannot be negative."""


def is_stack(path: str) -> bool:
    """Whether a file is one of these, by its name."""
    name = os.path.basename(path).lower()
    return name.endswith(NUMPY) or bool(IDX.fullmatch(name)) or any(form.fullmatch(name) for form in CIFAR)


def opened(path: str) -> list[Stack]:
    """All arrays in a file.

    Raises:
        DataError: it is damaged, too large, or holds Python objects.
    """
    name = os.path.basename(path)
    try:
        if name.lower().endswith(".npz"):
            with zipfile.ZipFile(path) as packed:
                members = [member for member in packed.namelist() if member.endswith(".npy")]
            return [_numpy(member[:-4], path, partial(_member, path, member)) for member in members]
        if name.lower().endswith(".npy"):
            return [_numpy(name[:-4], path, partial(_plain, path))]
        if IDX.fullmatch(name):
            return [_idx(name, path)]
        return _cifar(name, path)
    except (OSError, ValueError, EOFError, SyntaxError, struct.error, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, error) from error


def _member(path: str, member: str) -> IO[bytes]:
    with zipfile.ZipFile(path) as packed:
        return packed.open(member)  # it keeps the file open as long as it is needed


def _plain(path: str) -> IO[bytes]:
    return open(path, "rb")


def _numpy(name: str, path: str, opening: Callable[[], IO[bytes]]) -> Stack:
    with opening() as file:
        shape, turned, kind = _header(file)
    if kind.hasobject:
        raise DataError(
            f"arrays must hold numbers or words, but '{name}' in '{path}' holds Python objects, which are not trusted.",
            "Write it again as an array of numbers (numpy.stack), or the pictures as files.",
        )
    size = prod(shape[1:], start=kind.itemsize)
    _refuse_large(path, name, size * (shape[0] if shape else 1), AT_ONCE if turned else LARGEST)

    def rows() -> Iterator[Array]:
        with opening() as file:
            _header(file)
            if turned:
                yield from np.frombuffer(file.read(), kind).reshape(shape, order="F")
            else:
                yield from _cut(file, path, shape, kind)

    return Stack(name, shape, rows, kind == np.uint8)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    form = np.lib.format
    first = form.read_magic(file)
    read = form.read_array_header_1_0 if first == (1, 0) else form.read_array_header_2_0
    shape, turned, kind = read(file, max_header_size=HEADER)
    return shape, turned and len(shape) > 1, kind


def _idx(name: str, path: str) -> Stack:
    def opening() -> IO[bytes]:
        return cast("IO[bytes]", gzip.open(path)) if name.lower().endswith(".gz") else open(path, "rb")

    with opening() as file:
        zero, code, axes = struct.unpack(">HBB", file.read(4))
        shape = struct.unpack(f">{axes}I", file.read(4 * axes))
    if zero or code not in IDX_TYPES:
        raise ValueError("its first bytes are not those of an idx file")
    kind = np.dtype(IDX_TYPES[code])
    _refuse_large(path, name, prod(shape, start=kind.itemsize), LARGEST)

    def rows() -> Iterator[Array]:
        with opening() as file:
            file.read(4 + 4 * axes)
            yield from _cut(file, path, shape, kind)

    return Stack(name, shape, rows, kind == np.uint8)


def _cifar(name: str, path: str) -> list[Stack]:
    classes = next(count for form, count in CIFAR.items() if form.fullmatch(name.lower()))
    width = prod(CIFAR_SHAPE, start=1) + classes
    count, rest = divmod(os.path.getsize(path), width)
    if rest or not count:
        raise ValueError(f"its bytes are no multiple of {width}")

    def part(start: int, stop: int, shape: tuple[int, ...]) -> Callable[[], Iterator[Array]]:
        def rows() -> Iterator[Array]:
            with open(path, "rb") as file:
                for record in _cut(file, path, (count, width), np.dtype(np.uint8)):
                    yield record[start:stop].reshape(shape)

        return rows

    names = ["label"] if classes == 1 else ["coarse_label", "fine_label"]
    labels = [Stack(each, (count,), part(place, place + 1, ()), True) for place, each in enumerate(names)]
    return [Stack("images", (count, *CIFAR_SHAPE), part(classes, width, CIFAR_SHAPE), True), *labels]


def _cut(file: IO[bytes], path: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> Iterator[Array]:
    """The samples of an array that lies in a file as it is.

    Raises:
        DataError: it ends before the last of them.
    """
    size = prod(shape[1:], start=kind.itemsize)
    for number in range(shape[0]):
        try:
            data = file.read(size)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise _damaged(path, error) from error
        if len(data) < size:
            raise _damaged(path, f"it ends after {number:,} of {shape[0]:,} samples")
        yield np.frombuffer(data, kind).reshape(shape[1:])


def _damaged(path: str, why: object) -> DataError:
    return DataError(f"the arrays in '{path}' must be whole, but they cannot be read: {why}.")


def _refuse_large(path: str, name: str, size: int, most: int) -> None:
    if size > most:
        raise DataError(
            f"an array must have {most >> 30} GiB at most, but '{name}' in '{path}' has {size >> 30}.",
            "Write the pictures as files, in one folder per class, such as 7/0001.png.",
        )
