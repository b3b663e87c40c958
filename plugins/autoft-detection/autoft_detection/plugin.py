"""What this distribution offers to autoft. Imported on every start: nothing heavy here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autoft.api import Entry, Param, Schema, hookimpl

TASK = "object-det"
GIVES = ("image", "boxes", "size")


READERS = (
    Entry(
        name="coco-boxes",
        target="autoft_detection._coco:CocoReader",
        summary="COCO JSON with boxes, one file or several",
        gives=GIVES,
    ),
    Entry(
        name="createml-boxes",
        target="autoft_detection._createml:CreateMLReader",
        summary="CreateML: JSON that lists images with boxes by their middle",
        gives=GIVES,
    ),
    Entry(
        name="cvat-boxes",
        target="autoft_detection._drawn:CvatReader",
        summary="CVAT's own XML: one file with all images, or a video's tracks",
        gives=GIVES,
    ),
    Entry(
        name="kitti-boxes",
        target="autoft_detection._kitti:KittiReader",
        summary="KITTI: a text file for each image, a class and 14 numbers in each line",
        gives=GIVES,
    ),
    Entry(
        name="labelme-boxes",
        target="autoft_detection._drawn:LabelMeReader",
        summary="LabelMe: a JSON file of shapes for each image",
        gives=GIVES,
    ),
    Entry(
        name="labelstudio-boxes",
        target="autoft_detection._drawn:LabelStudioReader",
        summary="Label Studio: a JSON export with rectangles, ellipses, polygons or brushes",
        gives=GIVES,
    ),
    Entry(
        name="metadata-boxes",
        target="autoft_detection._metadata:MetadataBoxReader",
        summary="metadata.jsonl beside images, with lists of boxes and classes (Hugging Face)",
        gives=GIVES,
    ),
    Entry(
        name="named-boxes",
        target="autoft_detection._named:NamedBoxReader",
        summary="Kvasir-SEG: JSON that lists boxes by the names of images",
        gives=GIVES,
    ),
    Entry(
        name="parquet-boxes",
        target="autoft_detection._parquet:ParquetBoxReader",
        summary="Parquet with a column of images and one of boxes, as on the Hugging Face hub",
        gives=GIVES,
    ),
    Entry(
        name="pascal-text-boxes",
        target="autoft_detection._pascaltext:PascalTextReader",
        summary="PASCAL's annotations 1.00, a text file for each image (Penn-Fudan)",
        gives=GIVES,
    ),
    Entry(
        name="rows-boxes",
        target="autoft_detection._rows:RowsReader",
        summary="A line for each image: a.jpg 10,20,30,40,0",
        gives=GIVES,
    ),
    Entry(
        name="supervisely-boxes",
        target="autoft_detection._drawn:SuperviselyReader",
        summary="Supervisely: folders img and ann, a JSON file for each image",
        gives=GIVES,
    ),
    Entry(
        name="table-boxes",
        target="autoft_detection._table:BoxTableReader",
        summary="CSV with a row for each box: image, class, xmin, ymin, xmax, ymax",
        gives=GIVES,
    ),
    Entry(
        name="via-boxes",
        target="autoft_detection._drawn:ViaReader",
        summary="VGG Image Annotator: JSON or CSV that lists regions",
        gives=GIVES,
    ),
    Entry(
        name="visdrone-boxes",
        target="autoft_detection._lines:VisDroneReader",
        summary="VisDrone: a text file of eight numbers in each line for each image",
        gives=GIVES,
    ),
    Entry(
        name="voc-boxes",
        target="autoft_detection._voc:VocReader",
        summary="Pascal VOC: an XML file for each image",
        gives=GIVES,
    ),
    Entry(
        name="wider-boxes",
        target="autoft_detection._lines:WiderReader",
        summary="WIDER FACE: wider_face_train_bbx_gt.txt",
        gives=GIVES,
    ),
    Entry(
        name="yolo-boxes",
        target="autoft_detection._yolo:YoloReader",
        summary="YOLO: a text file for each image, with or without data.yaml",
        gives=GIVES,
    ),
)


@hookimpl
def autoft_tasks() -> Iterable[Entry]:
    yield Entry(
        name=TASK,
        aliases=("detect", "object-detection"),
        target="autoft_detection._task:ObjectDetection",
        summary="Boxes and classes of the things in an image",
    )


@hookimpl
def autoft_readers() -> Iterable[Entry]:
    return READERS


@hookimpl
def autoft_edit_space(space: Sequence[Param], schema: Schema) -> Iterable[Param]:
    if schema.task != TASK:
        return ()
    from autoft_detection._space import edits

    return edits(space, schema)
