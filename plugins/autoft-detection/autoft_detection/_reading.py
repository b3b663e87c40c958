"""What the readers share: when they are asked at all, how they find their files, and how they sum up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from autoft.api import DataError, Dataset, Issue, ReadOptions, Sample, walk
from autoft_detection._drafts import Draft, finish

FORMATS = (
    "COCO, CreateML, Label Studio, LabelMe, Supervisely or VGG Image Annotator JSON, CVAT XML, Pascal VOC XML, KITTI, "
    "PASCAL, VisDrone or YOLO text files, WIDER FACE or tables"
)


def wanted(source: str, options: ReadOptions) -> bool:
    """Whether the task asks for boxes and the source is something on this disk."""
    if not source or "\0" in source or not {"image", "boxes"} <= set(options.needs):
        return False
    try:
        return Path(source).exists()
    except OSError:  # a name too long for a file is the name of none
        return False


def learning(source: str, options: ReadOptions) -> bool:
    """As `wanted`, and the boxes are needed. For prediction any folder of images will do, and formats that leave out
    images without annotations must not claim it."""
    return wanted(source, options) and "boxes" not in options.optional


def claimed(source: str, suffix: str, peek: int, claims: Callable[[bytes], bool]) -> Iterator[Path]:
    """The file, or those below the folder, with this suffix whose first `peek` bytes are claimed."""
    for file in [source] if Path(source).is_file() else walk(source):
        if file.lower().endswith(suffix) and claims(_head(Path(file), peek)):
            yield Path(file)


def _head(file: Path, peek: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(peek)
    except OSError:  # it cannot be read, so it cannot be recognised
        return b""


def refuse(source: str, what: str) -> DataError:
    return DataError(
        f"'{source}' must hold {what}, but it does not.", f"Boxes are read from {FORMATS} beside the images."
    )


def dataset(
    reader: str, root: Path, words: str, drafts: Iterable[Draft], issues: Sequence[Issue], options: ReadOptions
) -> Dataset:
    """The samples of the drafts with a sentence that counts them.

    A val or test part without a single box, beside others that have some, is one that nobody has annotated; to score on
    it would call every box that is found wrong. It is left out where boxes are needed.
    """
    samples, found = finish(drafts)
    if "boxes" not in options.optional:
        boxed = {sample.split for sample in samples if sample.fields["boxes"]}
        bare = {sample.split for sample in samples} & {"val", "test"} - boxed if boxed else set()
        for split in sorted(bare):
            number = sum(sample.split == split for sample in samples)
            detail = f"none of its {number} images has a box"
            found.append(Issue(kind="unlabelled_part", subject=split, detail=detail, drops=False))
        samples = tuple(sample for sample in samples if sample.split not in bare)
    return Dataset(
        samples=samples,
        reader=reader,
        root=str(root.absolute()),
        recognised=f"{words}: {_counted(samples)}",
        issues=(*issues, *found),
    )


def _counted(samples: Sequence[Sample]) -> str:
    boxes = [row for sample in samples for row in sample.fields["boxes"]]
    empty = sum(1 for sample in samples if not sample.fields["boxes"])
    apart = sum(1 for row in boxes if len(row) > 5)
    classes = len({row[4] for row in boxes})
    said = f"{len(samples)} images, {len(boxes)} boxes of {classes} {'class' if classes == 1 else 'classes'}"
    said += f" ({apart} crowd or difficult, not scored)" if apart else ""
    return said + (f", {empty} image{'s' * (empty > 1)} without boxes" if empty else "")
