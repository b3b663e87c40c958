"""YOLO text files: for each image the lines `class cx cy w h`, in fractions of the sides."""

from __future__ import annotations

from autoft.api import Dataset, Issue, ReadOptions, YoloImage, read_yolo, yolo_sign
from autoft_detection._drafts import Draft
from autoft_detection._reading import dataset, refuse, wanted


class YoloReader:
    """A folder with images and text files in `images/` and `labels/` or side by side, or the path of a data.yaml."""

    name = "yolo-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is YOLO, or an empty string. Opens a data.yaml and the first label file."""
        return yolo_sign(source) if wanted(source, options) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image; one without a text file, or with an empty one, has no boxes.

        A line with six numbers or more is a polygon, of which the box around it is taken.

        Raises:
            DataError: there are no such files, or data.yaml is not one.
        """
        if not self.sniff(source, options):
            raise refuse(source, "images with YOLO text files, or be a data.yaml")
        issues: list[Issue] = []
        found = read_yolo(source, issues)
        return dataset(self.name, found.root, found.sign, [_draft(image) for image in found.images], issues, options)


def _draft(image: YoloImage) -> Draft:
    draft = Draft(id=image.id, path=image.path, split=image.split, fractions=True)
    for thing in image.things:
        draft.add(thing.box, thing.name, called=thing.called)
    return draft
