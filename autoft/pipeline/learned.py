"""Which samples a model has learned from: its run folder tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from autoft.data.inspect import inspect
from autoft.data.media import SUFFIXES
from autoft.predictor import Predictor
from autoft.records import Dataset, Sample, Splits, from_json

DATASET, SPLITS = "dataset.json", "splits.json"


def count(samples: Sequence[Sample], digests: Sequence[str], predictor: Predictor) -> int | None:
    """How many of these samples, with their `alike` from `inspect`, the model has learned from; None where that is not
    known: the model lies in no run folder.

    Samples are the same if their files have the same bytes, or their texts the same words.
    """
    known = _trained(predictor)
    if known is None:
        return None
    fields = predictor.task.inputs
    media = [field for field in fields if field in SUFFIXES]
    sizes = {_sizes(sample, media) for sample in samples}
    alike = tuple(one for one in known if _sizes(one, media) in sizes)  # others need not be read
    plain = tuple(msgspec.structs.replace(one, split="", group="") for one in alike)
    told = {*inspect(Dataset(samples=plain, reader="", root="", recognised=""), fields).alike}
    return sum(digest in told for digest in digests)


def _trained(predictor: Predictor) -> list[Sample] | None:
    run = _run_of(predictor.folder)
    if run is None:
        return None
    splits = from_json((run / SPLITS).read_bytes(), Splits)
    dataset = from_json((run / DATASET).read_bytes(), Dataset)
    names = {name for fold in splits.folds for name in fold.train}
    if predictor.config.refit:
        names |= {name for fold in splits.folds for name in fold.val}
    return [sample for sample in dataset.samples if sample.id in names]


def _run_of(model: Path) -> Path | None:
    """`best/` lies in the run folder, `trials/t0007/` one level below it."""
    place = model.resolve()
    for run in (place.parent, place.parent.parent):
        if (run / SPLITS).is_file() and (run / DATASET).is_file():
            return run
    return None


def _sizes(sample: Sample, media: Sequence[str]) -> tuple[int, ...]:
    """Bytes of the sample's files; -1 for one that is gone."""
    found = []
    for field in media:
        try:
            found.append(Path(str(sample.fields[field])).stat().st_size)
        except OSError:
            found.append(-1)
    return tuple(found)
