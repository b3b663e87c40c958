"""Files that hold samples or classes and are not read as such: pickles, MATLAB's, arrays of other programs, boxes."""

from __future__ import annotations

import os
from collections import Counter
from itertools import islice
from typing import Final

from autoft.data.media import walk

PICKLED: Final = (".pkl", ".pickle", ".pt", ".pth", ".joblib")
PICKLE: Final = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How pickles of today begin."""
ARRAYS: Final = (".mat", ".h5", ".hdf5", ".tfrecord", ".tfrecords", ".npz", ".npy", "-ubyte")
CIFAR: Final = "The binary version of CIFAR (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz), unpacked, is read"
MOST: Final = 10_000
"""Files that are looked at."""


def is_array(name: str) -> bool:
    """Whether a file holds samples as numbers, by its name."""
    return name.lower().removesuffix(".gz").endswith(ARRAYS + PICKLED)


def words(source: str) -> tuple[str, str]:
    """What lies in a folder, for the middle of a sentence, and what to do about it; empty strings where it holds no
    such file."""
    others, boxes = [], ""
    for number, path in enumerate(walk(source)):
        if number > MOST:
            break
        name = os.path.basename(path)
        if name.lower().endswith(PICKLED) or _is_pickle(path):
            cifar = f"{CIFAR}. Else: " if "batch" in name or name in ("train", "test", "meta") else ""
            return f"{name} is a pickle, and to open one would run what it says", cifar
        if is_array(name):
            others.append(name)
        boxes = boxes or (name if name.lower().endswith(".xml") else "")
    if not others:
        return (f"XML files such as {boxes} tell boxes, which --task object-det learns" if boxes else ""), ""
    matlab = next((name for name in others if name.lower().endswith(".mat")), "")
    if matlab:
        return f"{matlab} is MATLAB's, which is not read", ""
    return f"it holds arrays, which are not read: {others[0]}", ""


def usual(source: str) -> str:
    """The suffix that most files in a folder have, `.eml`; empty where none is the most, or it is one of plain text."""
    found = Counter(os.path.splitext(path)[1].lower() for path in islice(walk(source), MOST))
    for suffix, number in found.most_common(1):
        if suffix not in ("", ".txt") and 2 * number > found.total():
            return suffix
    return ""


def _is_pickle(path: str) -> bool:
    if os.path.splitext(path)[1]:
        return False
    try:
        with open(path, "rb") as file:
            return file.read(2).startswith(PICKLE)
    except OSError:  # it cannot be read, so it is not told
        return False
