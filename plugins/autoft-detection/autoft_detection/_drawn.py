"""Boxes around what was drawn with labelling tools: CVAT, LabelMe, Label Studio, Supervisely, VGG Image Annotator."""

from __future__ import annotations

from typing import ClassVar

from autoft.api import Dataset, DrawnImage, Issue, ReadOptions, drawn_sign, read_drawn
from autoft_detection._drafts import Draft
from autoft_detection._lines import VisDroneReader, WiderReader
from autoft_detection._reading import dataset, learning, refuse, wanted
from autoft_detection._table import BoxTableReader
from autoft_detection._voc import VocReader
from autoft_detection._yolo import YoloReader

BEFORE = (VocReader, YoloReader, WiderReader, VisDroneReader, BoxTableReader)
"""Where their files lie beside an export that was read later than these were, they go before it."""


class DrawnReader:
    """Pictures with what one tool exports, at any depth."""

    name: ClassVar[str]
    form: ClassVar[str]
    """A word for `drawn_sign`."""
    tool: ClassVar[str]
    """Its name, for messages."""
    yields: ClassVar[bool] = True
    """Others go before it."""

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is an export of the tool, or an empty string. Looks at the beginnings and ends of files."""
        found = drawn_sign(self.form, source) if learning(source, options) else ""
        return "" if found and self.yields and any(each().sniff(source, options) for each in BEFORE) else found

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each annotated picture that is there. Points and lines have no box.

        Raises:
            DataError: there is no such export, or it cannot be told what names the classes.
            UsageError: `--target` names something that is not there.
        """
        if not wanted(source, options) or not drawn_sign(self.form, source):
            raise refuse(source, f"what {self.tool} exports")
        issues: list[Issue] = []
        target = options.columns.get("boxes") or options.remembered.get("boxes", "")
        found = read_drawn(self.form, source, target, issues)
        return dataset(self.name, found.root, found.words, map(_draft, found.images), issues, options)


class CvatReader(DrawnReader):
    """`annotations.xml`, under whatever name, of images or of a video's frames."""

    name = "cvat-boxes"
    form = "cvat"
    tool = "CVAT"
    yields = False


class LabelMeReader(DrawnReader):
    """A JSON file for each image."""

    name = "labelme-boxes"
    form = "labelme"
    tool = "LabelMe"
    yields = False


class LabelStudioReader(DrawnReader):
    """One JSON file with all images, in percent of their sides."""

    name = "labelstudio-boxes"
    form = "labelstudio"
    tool = "Label Studio"


class SuperviselyReader(DrawnReader):
    """`ds0/img` and `ds0/ann`, a JSON file for each image."""

    name = "supervisely-boxes"
    form = "supervisely"
    tool = "Supervisely"


class ViaReader(DrawnReader):
    """`via_region_data.json`, its CSV, or a project file."""

    name = "via-boxes"
    form = "via"
    tool = "the VGG Image Annotator"


def _draft(image: DrawnImage) -> Draft:
    draft = Draft(id=image.id, path=image.path, split=image.split, size=image.size)
    for shape in image.shapes:
        if shape.box:
            draft.add(shape.box, shape.name, called=shape.called or shape.name)
    return draft
