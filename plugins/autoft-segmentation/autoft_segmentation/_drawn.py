"""What was drawn with labelling tools, as masks: CVAT, LabelMe, Label Studio, Supervisely, VGG Image Annotator."""

from __future__ import annotations

import math
from typing import ClassVar

from autoft.api import (
    DataError,
    Dataset,
    DrawnImage,
    DrawnShape,
    Issue,
    Mask,
    ReadOptions,
    Sample,
    Shape,
    drawn_sign,
    read_drawn,
    to_plain,
)
from autoft_segmentation._folder import MaskFolderReader, wanted
from autoft_segmentation._names import plain
from autoft_segmentation._yolo import YoloMaskReader

BACKGROUND = "background"
BEFORE = (MaskFolderReader, YoloMaskReader)
"""Where their files lie beside an export that was read later than these were, they go before it."""


class DrawnMaskReader:
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
        if not wanted(source, options) or "mask" in options.optional:
            return ""
        found = drawn_sign(self.form, source)
        return "" if found and self.yields and any(each().sniff(source, options) for each in BEFORE) else found

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each annotated picture that is there. What no shape covers is background.

        Raises:
            DataError: there is no such export, or it cannot be told what names the classes.
            UsageError: `--target` names something that is not there.
        """
        if not wanted(source, options) or not drawn_sign(self.form, source):
            raise DataError(f"'{source}' must hold what {self.tool} exports, but it does not.")
        issues: list[Issue] = []
        target = options.columns.get("mask") or options.remembered.get("mask", "")
        found = read_drawn(self.form, source, target, issues)
        samples = [_sample(image, issues) for image in found.images]
        shapes = sum(len(sample.fields["mask"]["shapes"]) for sample in samples)
        return Dataset(
            samples=tuple(sorted(samples, key=lambda sample: sample.id)),
            reader=self.name,
            root=str(found.root),
            recognised=f"{found.words}: {len(samples)} images, {shapes} shapes; what none covers is background",
            issues=tuple(issues),
        )


class CvatMaskReader(DrawnMaskReader):
    """`annotations.xml`, under whatever name, of images or of a video's frames."""

    name = "cvat-masks"
    form = "cvat"
    tool = "CVAT"


class LabelMeMaskReader(DrawnMaskReader):
    """A JSON file for each image."""

    name = "labelme-masks"
    form = "labelme"
    tool = "LabelMe"
    yields = False


class LabelStudioMaskReader(DrawnMaskReader):
    """One JSON file with all images, in percent of their sides."""

    name = "labelstudio-masks"
    form = "labelstudio"
    tool = "Label Studio"


class SuperviselyMaskReader(DrawnMaskReader):
    """`ds0/img` and `ds0/ann`, a JSON file for each image."""

    name = "supervisely-masks"
    form = "supervisely"
    tool = "Supervisely"


class ViaMaskReader(DrawnMaskReader):
    """`via_region_data.json`, its CSV, or a project file."""

    name = "via-masks"
    form = "via"
    tool = "the VGG Image Annotator"


def _sample(image: DrawnImage, issues: list[Issue]) -> Sample:
    shapes = []
    for shape in image.shapes:
        wrong = _wrong(shape)
        if wrong:
            issues.append(Issue(kind="shape_unreadable", subject=image.id, detail=wrong, drops=False))
        elif shape.runs:
            shapes.append(Shape(name=plain(shape.name), runs=shape.runs))
        else:
            shapes.append(Shape(name=plain(shape.name), polygons=(shape.ring,), holes=shape.holes))
    mask = to_plain(Mask(background=BACKGROUND, shapes=tuple(shapes), size=image.size))
    return Sample(id=image.id, fields={"image": image.path, "mask": mask}, split=image.split)


def _wrong(shape: DrawnShape) -> str:
    """Why it cannot be drawn, in words."""
    if not shape.name:
        return f"'{shape.called}' is not among the classes" if shape.called else "it has no label"
    if not shape.ring:
        return f"'{shape.name}' has no area"
    sides = (*shape.ring, *(side for hole in shape.holes for side in hole))
    return "" if all(map(math.isfinite, sides)) else f"'{shape.name}' cannot be read"
