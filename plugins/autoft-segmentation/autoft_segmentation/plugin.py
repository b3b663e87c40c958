"""What this distribution offers to autoft. Imported on every start: nothing heavy here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autoft.api import Entry, ModelCard, Param, Schema, hookimpl

GIVES = ("image", "mask")


READERS = (
    Entry(
        name="coco-masks",
        target="autoft_segmentation._coco:CocoMaskReader",
        summary="COCO JSON with polygons or run lengths",
        gives=GIVES,
    ),
    Entry(
        name="cvat-masks",
        target="autoft_segmentation._drawn:CvatMaskReader",
        summary="CVAT's own XML with polygons, brush masks, ellipses or boxes",
        gives=GIVES,
    ),
    Entry(
        name="labelme-masks",
        target="autoft_segmentation._drawn:LabelMeMaskReader",
        summary="LabelMe: a JSON file of shapes for each image",
        gives=GIVES,
    ),
    Entry(
        name="labelstudio-masks",
        target="autoft_segmentation._drawn:LabelStudioMaskReader",
        summary="Label Studio: a JSON export with polygons, brushes, rectangles or ellipses",
        gives=GIVES,
    ),
    Entry(
        name="masks",
        target="autoft_segmentation._folder:MaskFolderReader",
        summary="Images with mask files of the same name, in folders such as images/ and masks/",
        gives=GIVES,
    ),
    Entry(
        name="parquet-masks",
        target="autoft_segmentation._parquet:ParquetMaskReader",
        summary="Parquet with a column of images and one of masks, the files inside",
        gives=GIVES,
    ),
    Entry(
        name="rle-masks",
        target="autoft_segmentation._rle:RunLengthReader",
        summary="CSV with a column of images and one of run lengths, as contests have them",
        gives=GIVES,
    ),
    Entry(
        name="supervisely-masks",
        target="autoft_segmentation._drawn:SuperviselyMaskReader",
        summary="Supervisely: folders img and ann, a JSON file for each image",
        gives=GIVES,
    ),
    Entry(
        name="via-masks",
        target="autoft_segmentation._drawn:ViaMaskReader",
        summary="VGG Image Annotator: JSON or CSV that lists regions",
        gives=GIVES,
    ),
    Entry(
        name="yolo-masks",
        target="autoft_segmentation._yolo:YoloMaskReader",
        summary="YOLO: a text file of polygons for each image, with or without data.yaml",
        gives=GIVES,
    ),
)


@hookimpl
def autoft_tasks() -> Iterable[Entry]:
    yield Entry(
        name="image-seg",
        aliases=("segment", "semantic-segmentation"),
        target="autoft_segmentation._task:ImageSegmentation",
        summary="A class for each pixel of an image",
    )


@hookimpl
def autoft_readers() -> Iterable[Entry]:
    return READERS


@hookimpl
def autoft_edit_space(
    space: Sequence[Param], schema: Schema, cards: Sequence[ModelCard], seconds: float
) -> Iterable[Param]:
    if schema.task != "image-seg":
        return ()
    from autoft_segmentation._space import edits

    return tuple(edits(space, cards, seconds, schema.classes))
