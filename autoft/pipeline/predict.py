"""Predictions for new files, and scores on labelled ones, with a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from autoft import evaluate, registry
from autoft.contracts import Array, Arrays
from autoft.data import checks, forms
from autoft.data.feed import DecodedFeed
from autoft.data.forms import Form
from autoft.data.inspect import inspect
from autoft.data.readers import open_dataset
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.pipeline import prepare
from autoft.predictor import Predictions, Predictor
from autoft.records import Issue, Sample
from autoft.run import model_folder


def predict(
    model: str,
    source: str,
    out: str = "runs",
    columns: DataOptions | None = None,
    confidence: float | None = None,
) -> Predictions:
    """Predictions of a run's best model, a model folder or `RUN:t0007` for the files at `source`.

    Args:
        columns: its names of columns, for tables; those that the model was trained on where it says none.

    Raises:
        UsageError: there is no such model.
        DataError: nothing readable is at `source`.
    """
    return predict_sources(Predictor(model_folder(model, out)), [source], columns, confidence)


def predict_sources(
    predictor: Predictor,
    sources: Sequence[str],
    columns: DataOptions | None = None,
    confidence: float | None = None,
) -> Predictions:
    """Predictions for the files at all `sources`, in their order. Unreadable files become issues."""
    plugins = registry.installed()
    samples: list[Sample] = []
    issues: list[Issue] = []
    for source in sources:
        options = msgspec.structs.replace(columns or DataOptions(), data=source)
        config = predictor.config
        dataset = open_dataset(
            plugins, options, predictor.task, labelled=False, remembered=config.columns, guessed=config.guessed
        )
        # Every row is asked for, whatever part it lies in and whatever it is like.
        plain = tuple(msgspec.structs.replace(sample, split="", group="") for sample in dataset.samples)
        found = inspect(msgspec.structs.replace(dataset, samples=plain), predictor.task.inputs)
        samples += found.dataset.samples
        issues += [issue for issue in found.issues if issue.drops]
    kept, decoded, damaged = _predicted(predictor, samples)
    issues += damaged
    if not kept:
        raise DataError(
            f"a prediction needs at least one readable file, but none is at {', '.join(sources)}.", _first(issues)
        )
    ids, decoded = tuple(sample.id for sample in kept), predictor.sure(decoded, confidence)
    return Predictions(ids, decoded, predictor.task, predictor.config, tuple(issues), tuple(kept))


def validate(model: str, options: DataOptions, out: str = "runs") -> dict[str, Any]:
    """Every metric of the model on labelled data, with a confidence interval for the one it was chosen by.

    Raises:
        DataError: the data cannot be read, or have classes that the model does not know.
    """
    predictor = Predictor(model_folder(model, out))
    config, task = predictor.config, predictor.task
    plugins = registry.installed()
    dataset = open_dataset(
        plugins, options, task, remembered=config.columns, guessed=config.guessed, meaning=config.meaning
    )
    found = inspect(dataset, task.inputs)
    samples = found.dataset.samples
    feed = DecodedFeed(
        samples,
        _inputs(predictor),
        predictor.targets(samples),
        prepare.truths(task, samples, config.schema, config.decoding),
    )
    decoded, targets = predictor.compared(feed)
    good, damaged = _sorted_out(feed, samples)
    issues = [*found.issues, *damaged, *_remarks(feed, samples)]
    checks.refuse_if_too_bad(issues, checks.total(dataset), options.max_bad)
    decoded, targets = evaluate.take(decoded, good), evaluate.take(targets, good)
    groups = [samples[row].group for row in good]
    band = evaluate.interval(task, decoded, targets, config.schema, config.metric, config.seed, groups)
    return {
        "model": str(predictor.folder),
        "metric": config.metric.name,
        "refit": config.refit,
        "samples": len(good),
        "metrics": evaluate.all_metrics(task, decoded, targets, config.schema),
        "interval": band.bounds,
        "interval_note": band.note,
        "confidence": evaluate.CONFIDENCE,
        "issues": issues,
    }


def _predicted(predictor: Predictor, samples: Sequence[Sample]) -> tuple[list[Sample], Arrays, list[Issue]]:
    """Predictions for those whose files decode, and the others as issues. Every file is decoded once."""
    feed = DecodedFeed(samples, _inputs(predictor))
    decoded = predictor.outputs(feed)
    good, issues = _sorted_out(feed, samples)
    return [samples[row] for row in good], evaluate.take(decoded, good), issues


def _inputs(predictor: Predictor) -> list[Form]:
    config = predictor.config
    return forms.inputs(predictor.task.inputs[0], [config.card.modality], config.decoding)


def _sorted_out(feed: DecodedFeed, samples: Sequence[Sample]) -> tuple[Array, list[Issue]]:
    """Rows whose files decoded, and the others as issues."""
    good = np.array([row for row in range(len(samples)) if row not in feed.bad], np.int64)
    bad = sorted(feed.bad.items())
    return good, [Issue(kind=why.kind, subject=samples[row].id, detail=why.detail) for row, why in bad]


def _remarks(feed: DecodedFeed, samples: Sequence[Sample]) -> list[Issue]:
    """What is wrong with rows that can be used."""
    said = sorted(feed.remarks.items())
    return [
        Issue(kind=kind, subject=samples[row].id, detail=detail, drops=False)
        for row, found in said
        for kind, detail in found
    ]


def _first(issues: Sequence[Issue]) -> str:
    return f"{len(issues)} could not be read; the first: {issues[0].subject} ({issues[0].detail})" if issues else ""
