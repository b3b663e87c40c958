"""LabelMe's JSON: the boxes around its shapes."""

from __future__ import annotations

from pathlib import Path

from autoft.api import Dataset, Issue, LabelMeImage, ReadOptions, labelme_files, read_labelme
from autoft_detection._drafts import Draft
from autoft_detection._reading import dataset, learning, refuse, wanted


class LabelMeReader:
    """A folder with images and a JSON file for each that was annotated, at any depth."""

    name = "labelme-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is LabelMe's, or an empty string. Looks at both ends of the JSON files."""
        found = next(labelme_files(source), None) if learning(source, options) else None
        return f"LabelMe ({found.name} lists shapes)" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each JSON file that has an image. Points and lines have no box.

        Raises:
            DataError: no file is one of LabelMe's.
        """
        files = list(labelme_files(source)) if wanted(source, options) else []
        issues: list[Issue] = []
        images = read_labelme(source, files, issues) if files else []
        if not files:
            raise refuse(source, "JSON files of LabelMe")
        words = f"LabelMe ({len(files)} JSON files)"
        return dataset(self.name, Path(source), words, [_draft(image) for image in images], issues, options)


def _draft(image: LabelMeImage) -> Draft:
    draft = Draft(id=image.id, path=image.path, split=image.split, size=image.size)
    for shape in image.shapes:
        across, down = shape.ring[::2], shape.ring[1::2]
        if across:
            draft.add((min(across), min(down), max(across), max(down)), shape.name, called=shape.name)
    return draft
