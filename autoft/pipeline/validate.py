"""Scores a trained model on labelled data, and says which of them it has learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from autoft import evaluate, registry
from autoft.data import checks, twins
from autoft.data.feed import DecodedFeed
from autoft.data.inspect import inspect
from autoft.data.readers import open_dataset
from autoft.errors import DataError, UsageError
from autoft.options import DataOptions
from autoft.pipeline import learned, prepare
from autoft.pipeline.predict import inputs_of, sorted_out
from autoft.predictor import Predictor
from autoft.records import Dataset, Issue, Sample
from autoft.run import model_folder

PARTS: Final = ("test", "val", "train", "all")
ALL: Final = "all"


def validate(model: str, options: DataOptions, out: str = "runs", part: str = "") -> dict[str, Any]:
    """Every metric of the model on labelled data, with a confidence interval for the one it was chosen by.

    Args:
        part: what is scored, one of `PARTS`; empty is the test part where the data name one, else all.

    Raises:
        UsageError: there is no such model or part.
        DataError: the data cannot be read, or have classes that the model does not know.
    """
    if part and part not in PARTS:
        raise UsageError(f"a part must be one of {', '.join(PARTS)}, but got '{part}'.")
    predictor = Predictor(model_folder(model, out))
    config, task = predictor.config, predictor.task
    plugins = registry.installed()
    whole = open_dataset(
        plugins,
        options,
        task,
        remembered=config.columns,
        guessed=config.guessed,
        names=config.names,
        meaning=config.meaning,
        classes=config.schema.classes,
    )
    dataset, part = _part(whole, part, options)
    twins.refuse_if_one_file_says_many_things(dataset.samples, dataset.root)
    found = inspect(twins.rated(dataset), task.inputs)
    samples = found.dataset.samples
    feed = DecodedFeed(
        samples,
        inputs_of(predictor),
        predictor.targets(samples),
        prepare.truths(task, samples, config.schema, config.decoding),
    )
    decoded, targets = predictor.compared(feed)
    good, damaged = sorted_out(feed, samples)
    issues = [*found.issues, *damaged, *_remarks(feed, samples)]
    checks.refuse_if_too_bad(issues, checks.total(dataset), options.max_bad)
    decoded, targets = evaluate.take(decoded, good), evaluate.take(targets, good)
    groups = [samples[row].group for row in good]
    band = evaluate.interval(task, decoded, targets, config.schema, config.metric, config.seed, groups)
    known = learned.count([samples[row] for row in good], [found.alike[row] for row in good], predictor)
    return {
        "model": str(predictor.folder),
        "metric": config.metric.name,
        "refit": config.refit,
        "recognised": whole.recognised,
        "part": part,
        "of": len(whole.samples),
        "samples": len(good),
        "learned": known,
        "metrics": evaluate.all_metrics(task, decoded, targets, config.schema),
        "interval": band.bounds,
        "interval_note": band.note,
        "confidence": evaluate.CONFIDENCE,
        "issues": issues,
    }


def _part(dataset: Dataset, part: str, options: DataOptions) -> tuple[Dataset, str]:
    """The samples that are scored, and what they are called."""
    there = {sample.split for sample in dataset.samples}
    part = part or ("test" if "test" in there else ALL)
    if part == ALL:
        return dataset, part
    samples = tuple(sample for sample in dataset.samples if sample.split == part)
    if not samples:
        named = ", ".join(sorted(there - {""})) or "none"
        raise DataError(f"'{options.data}' must name a {part} part, but the parts it names are: {named}.")
    return msgspec.structs.replace(dataset, samples=samples), part


def _remarks(feed: DecodedFeed, samples: Sequence[Sample]) -> list[Issue]:
    """What is wrong with rows that can be used."""
    said = sorted(feed.remarks.items())
    return [
        Issue(kind=kind, subject=samples[row].id, detail=detail, drops=False)
        for row, found in said
        for kind, detail in found
    ]
