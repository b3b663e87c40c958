"""YOLO text files with polygons, as masks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from autoft.api import (
    DataError,
    Dataset,
    Issue,
    Mask,
    ReadOptions,
    Sample,
    Shape,
    YoloImage,
    image_header,
    read_yolo,
    to_plain,
    yolo_sign,
)
from autoft_segmentation._folder import wanted
from autoft_segmentation._order import layered

BACKGROUND = "background"


class YoloMaskReader:
    """A folder with images and text files of polygons, or the path of a data.yaml."""

    name = "yolo-masks"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is YOLO with polygons, or an empty string. Opens a data.yaml and the first label file."""
        return yolo_sign(source, polygons=True) if wanted(source, options) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image. What no polygon covers is background; boxes among them are left out. A test or
        validation part without a single polygon is one that nobody has annotated, and is left out.

        Raises:
            DataError: there are no such files, or data.yaml is not one.
        """
        if not self.sniff(source, options):
            raise DataError(f"'{source}' must hold images with YOLO text files of polygons, but it does not.")
        issues: list[Issue] = []
        found = read_yolo(source, issues)
        with ThreadPoolExecutor() as pool:
            sizes = pool.map(_upright, found.images)
        drawn = {image.split for image in found.images if any(thing.ring for thing in image.things)}
        bare = {image.split for image in found.images} & {"val", "test"} - drawn
        for split in sorted(bare):
            detail = "none of its images has a polygon"
            issues.append(Issue(kind="unlabelled_part", subject=split, detail=detail, drops=False))
        pairs = zip(found.images, sizes, strict=True)
        samples = [_sample(image, size, issues) for image, size in pairs if image.split not in bare]
        shapes = sum(len(sample.fields["mask"]["shapes"]) for sample in samples)
        return Dataset(
            samples=tuple(samples),
            reader=self.name,
            root=str(found.root.absolute()),
            recognised=f"{found.sign}: {len(samples)} images, {shapes} polygons; what none covers is background",
            issues=tuple(issues),
        )


def _upright(image: YoloImage) -> tuple[int, int]:
    header = image_header(image.path)
    return header.upright if header else (1, 1)  # it will not be decoded either


def _sample(image: YoloImage, size: tuple[int, int], issues: list[Issue]) -> Sample:
    shapes = []
    for thing in image.things:
        if not thing.name:
            detail = f"'{thing.called}' is not among the classes"
            issues.append(Issue(kind="shape_unreadable", subject=image.id, detail=detail, drops=False))
        elif thing.ring:
            ring = tuple(side * size[place % 2] for place, side in enumerate(thing.ring))
            shapes.append(Shape(name=thing.name, polygons=(ring,)))
        else:
            detail = f"a box of '{thing.name}' is no polygon"
            issues.append(Issue(kind="shape_unreadable", subject=image.id, detail=detail, drops=False))
    mask = to_plain(Mask(background=BACKGROUND, shapes=layered(shapes)))
    return Sample(id=image.id, fields={"image": image.path, "mask": mask}, split=image.split)
