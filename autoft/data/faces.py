"""UTKFace: faces whose file names begin with an age, `25_0_2_20170116174525125.jpg.chip.jpg`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

from autoft.data import advice
from autoft.data.media import is_media, is_text, relative, walk
from autoft.data.tablefiles import tables_in
from autoft.records import Dataset, Issue, ReadOptions, Sample

NAME: Final = re.compile(r"(?P<age>\d{1,3})_[01]_[0-4]_\d{14,18}\..+")
"""Age, sex, race, date and time. A few files of the set lack one of them."""
MOST: Final = 0.9
"""Share of the images that must be called so."""


class FaceReader:
    """The number to learn is the age."""

    name = "faces"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is this collection, or an empty string. Looks at names alone."""
        return "UTKFace (Zhang et al., 2017), by the names of its files" if _look(source, options) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image whose name is of the form.

        Raises:
            DataError: it is not the collection.
        """
        paths = _look(source, options)
        if not paths:
            raise advice.unrecognised(source, options)
        ages = {path: found["age"] for path in paths if (found := NAME.fullmatch(os.path.basename(path)))}
        samples = tuple(
            Sample(id=relative(path, source), fields={"image": os.path.abspath(path), "value": float(age)})
            for path, age in sorted(ages.items())
        )
        issues = tuple(
            Issue(kind="no_number", subject=relative(path, source), detail="its name")
            for path in paths
            if path not in ages
        )
        words = f"{self.sniff(source, options)}: the age is the number to learn, {len(samples)} image files"
        return Dataset(samples, reader=self.name, root=os.path.abspath(source), recognised=words, issues=issues)


def _look(source: str, options: ReadOptions) -> Sequence[str]:
    """All images, where nearly all are called so. A table beside them says more."""
    if options.needs != ("image", "value") or options.optional or options.columns or options.group_col:
        return ()
    if "\0" in source or not os.path.isdir(source) or tables_in(source):
        return ()
    paths = (path for path in walk(source) if is_media(path, "image") and is_text(path))
    first = next(paths, "")  # most folders are something else: the first file tells
    if not NAME.match(os.path.basename(first)):
        return ()
    found = [first, *paths]
    return found if sum(bool(NAME.match(os.path.basename(path))) for path in found) >= MOST * len(found) else ()
