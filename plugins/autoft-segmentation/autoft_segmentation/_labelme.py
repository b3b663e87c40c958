"""LabelMe's JSON: its shapes as masks."""

from __future__ import annotations

from pathlib import Path

from autoft.api import (
    DataError,
    Dataset,
    Issue,
    LabelMeImage,
    Mask,
    ReadOptions,
    Sample,
    Shape,
    labelme_files,
    read_labelme,
    to_plain,
)
from autoft_segmentation._folder import wanted
from autoft_segmentation._names import plain

BACKGROUND = "background"


class LabelMeMaskReader:
    """A folder with images and a JSON file for each that was annotated, at any depth."""

    name = "labelme-masks"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is LabelMe's, or an empty string. Looks at both ends of the JSON files."""
        found = (
            next(labelme_files(source), None) if wanted(source, options) and "mask" not in options.optional else None
        )
        return f"LabelMe ({found.name} lists shapes)" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each JSON file that has an image. What no shape covers is background.

        Raises:
            DataError: no file is one of LabelMe's.
        """
        files = list(labelme_files(source)) if wanted(source, options) else []
        if not files:
            raise DataError(f"'{source}' must hold JSON files of LabelMe, but it does not.")
        issues: list[Issue] = []
        samples = [_sample(image, issues) for image in read_labelme(source, files, issues)]
        shapes = sum(len(sample.fields["mask"]["shapes"]) for sample in samples)
        return Dataset(
            samples=tuple(sorted(samples, key=lambda sample: sample.id)),
            reader=self.name,
            root=str(Path(source).absolute()),
            recognised=f"LabelMe: {len(samples)} images, {shapes} shapes; what none covers is background",
            issues=tuple(issues),
        )


def _sample(image: LabelMeImage, issues: list[Issue]) -> Sample:
    shapes = []
    for shape in image.shapes:
        if shape.ring and shape.name:
            shapes.append(Shape(name=plain(shape.name), polygons=(shape.ring,)))
        else:
            detail = f"'{shape.name}' has no area" if shape.name else "it has no label"
            issues.append(Issue(kind="shape_unreadable", subject=image.id, detail=detail, drops=False))
    mask = to_plain(Mask(background=BACKGROUND, shapes=tuple(shapes)))
    return Sample(id=image.id, fields={"image": image.path, "mask": mask}, split=image.split)
