"""COCO's metrics, computed by faster-coco-eval.

The areas of COCO (small, medium, large) are left out: boxes are compared in fractions of the sides, for which overlaps
are the same as in pixels and areas are not.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from autoft.api import Metric
from autoft_detection._dense import ignored

Array = np.ndarray[Any, np.dtype[Any]]

METRICS = (
    Metric(name="map", percent=True, best=1.0, summary="COCO's mAP: mean over classes and overlaps from 0.5 to 0.95"),
    Metric(name="ap50", percent=True, best=1.0, summary="mean average precision at overlap 0.5"),
    Metric(name="ap75", percent=True, best=1.0, summary="mean average precision at overlap 0.75"),
)
KEPT = 4096
"""Evaluated images that are remembered at least."""
MODELS = 3
"""Times the images in question that are remembered as well: a comparison needs those of two models again and again, and
resamples of groups are not all of one size."""
_kept: dict[bytes, list[Any]] = {}
"""Of an image's predictions and truth: the library's finding for each class."""
SLICES = {"map": slice(None), "ap50": slice(0, 1), "ap75": slice(5, 6)}
"""Which of the overlaps 0.5, 0.55, ..., 0.95 a metric is the mean over."""


def compute(names: list[str], boxes: Array, truth: Array, classes: int) -> dict[str, float]:
    """The named metrics; NaN where the truth has no box that counts."""
    values = averages(boxes, truth, classes)
    return {name: _mean(values[SLICES[name]]) for name in names}


def by_class(boxes: Array, truth: Array, classes: int) -> list[float]:
    """The mAP of each class; NaN for one that the truth has not."""
    values = averages(boxes, truth, classes)
    return [_mean(values[:, kind]) for kind in range(classes)]


def averages(boxes: Array, truth: Array, classes: int) -> Array:
    """Average precision (overlaps, classes), NaN for classes that the truth has not.

    Args:
        boxes: (n, k, 6), predictions as `_dense.decode` gives them.
        truth: (n, m, 5), boxes with class codes.
    """
    if not len(truth) or not (truth[..., 4] >= 0).any():
        return np.full((10, classes), np.nan)
    judge = _judged(boxes, truth, classes)
    precision = np.asarray(judge.eval["precision"])[:, :, :, 0, 0]  # overlaps, recalls, classes
    return np.asarray(np.where(precision > -1, precision, np.nan).mean(axis=1))


def _judged(boxes: Array, truth: Array, classes: int) -> Any:
    """The library's evaluation, accumulated. What it found in an image is kept: a resample holds the same images."""
    rows = zip(np.ascontiguousarray(boxes, np.float64), np.ascontiguousarray(truth, np.float64), strict=True)
    keys = [hashlib.blake2b(one.tobytes() + other.tobytes(), digest_size=16).digest() for one, other in rows]
    keys = [key + bytes(str(classes), "ascii") for key in keys]
    if len(_kept) > max(KEPT, MODELS * len(keys)):
        _kept.clear()
    fresh = list({key: row for row, key in enumerate(keys) if key not in _kept}.values())
    if fresh:
        judge = _judge(boxes[fresh], truth[fresh], classes)
        judge.evaluate()
        found = judge._evalImgs_cpp  # class by class, image by image
        for place, row in enumerate(fresh):
            _kept[keys[row]] = found[place :: len(fresh)]
    whole = _judge(boxes[:0], truth[:0], classes)
    whole.params.imgIds = list(range(1, len(keys) + 1))
    whole._paramsEval = whole.params
    whole._evalImgs_cpp = [_kept[key][kind] for kind in range(classes) for key in keys]
    whole.accumulate()
    return whole


def _judge(boxes: Array, truth: Array, classes: int) -> Any:
    from faster_coco_eval import COCO, COCOeval_faster

    real, said = COCO(_truth(truth, classes)), COCO(_predictions(boxes, classes))
    judge = COCOeval_faster(real, said, "bbox", separate_eval=True)
    judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
    judge.params.maxDets = [boxes.shape[1]]
    return judge


def _truth(truth: Array, classes: int) -> dict[str, Any]:
    codes = truth[..., 4].astype(np.int64)
    crowd = codes < -1
    image, place = np.nonzero((codes >= 0) | crowd)
    kinds = np.where(crowd, ignored(codes), codes)[image, place]
    return _dataset(len(truth), classes, image, truth[image, place, :4], kinds, crowd[image, place].astype(int))


def _predictions(boxes: Array, classes: int) -> dict[str, Any]:
    image, place = np.nonzero(boxes[..., 5] >= 0)
    found = boxes[image, place]
    known = _dataset(len(boxes), classes, image, found[:, :4], found[:, 5].astype(np.int64), np.zeros(len(image), int))
    for entry, score in zip(known["annotations"], found[:, 4].tolist(), strict=True):
        entry["score"] = score
    return known


def _dataset(images: int, classes: int, image: Array, corners: Array, kinds: Array, crowd: Array) -> dict[str, Any]:
    """COCO's form; ids count from 1, because 0 means "none" there."""
    corners = corners.astype(np.float64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    rows = zip(image.tolist(), boxes.tolist(), kinds.tolist(), crowd.tolist(), strict=True)
    entries = [
        {"id": n, "image_id": i + 1, "category_id": k + 1, "bbox": box, "area": box[2] * box[3], "iscrowd": c}
        for n, (i, box, k, c) in enumerate(rows, 1)
    ]
    return {
        "images": [{"id": i + 1} for i in range(images)],
        "categories": [{"id": k + 1, "name": str(k)} for k in range(classes)],
        "annotations": entries,
    }


def _mean(values: Array) -> float:
    """Over what is there."""
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else math.nan
