"""What a user asks predictions for: what patterns stand for, and what the samples of a source are called."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence

from autoft.data import advice
from autoft.data.media import is_media
from autoft.errors import DataError
from autoft.records import Dataset, Sample


def expanded(source: str) -> list[str]:
    """The source with `~` for the user's own folder; what a pattern such as `new/*.jpg` stands for, if no file has this
    very name.

    Raises:
        DataError: nothing matches a pattern, or a path does not exist.
    """
    place = os.path.expanduser(source)
    if os.path.exists(place):
        return [place]
    if glob.has_magic(place):
        if found := sorted(glob.glob(place, recursive=True)):
            return found
        raise DataError(f"no file or folder matches '{source}'.")
    if missing := advice.missing(place):
        raise DataError(missing)
    return [place]


def grouped(names: Sequence[str], field: str) -> Iterator[list[str]]:
    """Each source alone, but media files that follow one another together: they may be thousands."""
    files: list[str] = []
    for name in names:
        if field and is_media(name, field) and os.path.isfile(name):
            files.append(name)
            continue
        if files:
            yield files
            files = []
        yield [name]
    if files:
        yield files


def files(names: Sequence[str], field: str) -> Dataset:
    """Media files, each called by its own name."""
    samples = tuple(Sample(id=name, fields={field: os.path.abspath(name)}) for name in names)
    return Dataset(samples=samples, reader="", root="", recognised="")


class Called:
    """What rows call the samples of one source."""

    def __init__(self, source: str, dataset: Dataset, *, several: bool) -> None:
        self.source, self.several = source, several
        self.folder = os.path.isdir(source)
        self.ids = {sample.id for sample in dataset.samples}

    def __call__(self, name: str) -> str:
        base, _, number = name.rpartition(" #")
        if number.isdigit() and base in self.ids and name in self.ids:  # as ids must be unique, but files are not
            name = base
        if name == os.path.basename(self.source) and not self.folder:
            return self.source
        if not self.several:
            return name
        return os.path.join(self.source, name) if self.folder else f"{self.source}: {name}"
