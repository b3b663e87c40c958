"""Files that name the classes which are numbers elsewhere: a number and a name in each line, or names alone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from autoft.data import encodings
from autoft.data.media import entries
from autoft.records import Dataset, Issue, Sample

NUMBER_FIRST: Final = re.compile(r"(\d+)[\s,:;]+(.*\S)")
FEW: Final = 20
"""JSON files beyond which they are annotations, one for each sample."""
LARGEST: Final = 1 << 20
"""Bytes of a JSON file that names classes."""
TELLING: Final = re.compile(r"name|class|label|categor|id2|to_?idx|mapping", re.IGNORECASE)
"""In the names of JSON files that name classes; settings and counts have numbers too."""
ENOUGH: Final = 5
"""Classes from which on a file that names them all is no accident, whatever it is called."""
NUMBER_LAST: Final = re.compile(r"(.*\S?)[\s,:;]+(\d+)")


def lines(path: str) -> list[str]:
    """The lines of a text file without the space around them; an empty line at its end is none."""
    return told_lines(path)[0]


def told_lines(path: str, encoding: str = "") -> tuple[list[str], tuple[Issue, ...]]:
    """The same, and that the encoding was guessed, where neither the file nor the user tells it."""
    with open(path, "rb") as file:
        decoded = encodings.decode(file.read(), encoding)
    found = decoded.text.split("\n")
    stripped = [line.strip() for line in (found[:-1] if not found[-1].strip() else found)]
    return stripped, decoded.issues(os.path.basename(path))


def head(path: str, count: int) -> list[str]:
    """The first `count` lines of a file without the space around them, empty ones left out."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return [line.strip() for line in islice(file, count) if line.strip()]


def renamed(sample: Sample, told: Mapping[str, str]) -> Sample:
    """With the name of its class in place of the number, where that is told."""
    label = str(sample.fields.get("label", ""))
    return msgspec.structs.replace(sample, fields={**sample.fields, "label": told[label]}) if label in told else sample


def read(path: str) -> dict[str, str]:
    """Number -> name. Names alone are counted from 0."""
    filled = [line for line in lines(path) if line]
    for form, number, name in ((NUMBER_FIRST, 1, 2), (NUMBER_LAST, 2, 1)):
        parts = [found for line in filled if (found := form.fullmatch(line))]
        told = {found[number]: found[name].strip(" \t,:;\"'") for found in parts}
        if len(parts) == len(filled) == len(told) == len(set(told.values())):
            return told
    return {str(place): " ".join(line.split()) for place, line in enumerate(filled)}


def in_json(
    numbers: Collection[str], folders: Sequence[str], known: Collection[str], above: str = ""
) -> tuple[str, dict[str, str]]:
    """The only JSON file in `folders` that names these numbers, see `are_named`: `{"1": "rose"}` or `{"rose": 1}`.
    Its own name must say so, or the classes be many; in the folder `above`, which holds other things too, both."""
    if len(numbers) < 2 or not all(map(str.isdigit, numbers)):
        return "", {}
    places = [*folders, *([above] if above else [])]
    files = [e.path for folder in places for e in entries(folder) if e.name.lower().endswith(".json") and e.is_file()]
    found = []
    for path in files if len(files) <= FEW else ():
        signs = bool(TELLING.search(os.path.basename(path))) + (len(numbers) >= ENOUGH)
        if signs < (2 if os.path.dirname(path) == above else 1):
            continue
        told = _mapping(path) if os.path.getsize(path) <= LARGEST else {}
        if are_named(numbers, told, known):
            found.append((path, told))
    return found[0] if len(found) == 1 else ("", {})


def are_named(numbers: Collection[str], told: Mapping[str, str], known: Collection[str]) -> bool:
    """Whether a file names just these classes, which are numbers; in further data those that are there, by names that
    are known.

    Args:
        known: classes of the training data, where these are further data.
    """
    if len(numbers) < 2 or not all(map(str.isdigit, numbers)) or len(set(told.values())) != len(told):
        return False
    if known:
        return set(numbers) <= told.keys() and {told[number] for number in numbers} <= {*known} - {*numbers}
    return told.keys() == set(numbers)


def as_known(dataset: Dataset, names: Mapping[str, str], known: Collection[str]) -> Dataset:
    """Further data with the names that numbers got in the training data, where these are not classes themselves."""
    told = {number: name for number, name in names.items() if number not in known}
    if not any(sample.fields.get("label") in told for sample in dataset.samples):
        return dataset
    samples = tuple(renamed(sample, told) for sample in dataset.samples)
    said = f"{dataset.recognised}; numbers of classes are named as in the training data"
    return msgspec.structs.replace(dataset, samples=samples, recognised=said)


def _mapping(path: str) -> dict[str, str]:
    try:
        with open(path, "rb") as file:
            told = json.loads(file.read())
    except (OSError, ValueError, RecursionError):  # whatever it is, it names nothing
        return {}
    if not isinstance(told, dict):
        return {}
    if all(isinstance(number, int) and not isinstance(number, bool) for number in told.values()):
        turned = {str(number): name for name, number in told.items()}
        return turned if len(turned) == len(told) else {}  # else it says the class of each file
    return {number: name for number, name in told.items() if isinstance(name, str)} if _strings(told) else {}


def _strings(told: Mapping[str, object]) -> bool:
    return all(key.isdigit() and isinstance(name, str) and name for key, name in told.items())


def named(numbers: Collection[str], folders: Sequence[str], names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The first file in `folders` with one of these names that names all the numbers, and what it says of them. Names
    alone are counted from 1 where there is a number for the last of them and none is 0."""
    for path in (os.path.join(folder, name) for folder in folders for name in names):
        if not os.path.isfile(path):
            continue
        told = read(path)
        if "0" in told and "0" not in numbers and str(len(told)) in numbers:
            told = {str(int(number) + 1): name for number, name in told.items() if number.isdigit()}
        if set(numbers) <= told.keys():
            return path, told
    return "", {}
