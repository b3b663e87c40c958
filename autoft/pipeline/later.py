"""Finishes a run whose process ended before its search did: killed, out of memory, a machine that was switched off.

The model and the log of trials are in the run folder then; what is missing is the score on the locked test part, the
summary and the report (docs/adr/0055-ended-by-others.md). Of a run that came to its end, but could not be scored there,
the score alone is missing.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from autoft import artifact, held, refit, registry
from autoft.contracts import Task
from autoft.data import cache, checks, longer, store
from autoft.data.inspect import inspect
from autoft.data.store import Store
from autoft.errors import DataError, TrialFailed, UsageError
from autoft.events import Finished, Listener, Note, TrialFinished
from autoft.options import SearchOptions
from autoft.pipeline import finish, plan, prepare
from autoft.pipeline.budget import Budget
from autoft.pipeline.storage import DATASET, SPLITS, Kept, Storage
from autoft.ranking import by_worth
from autoft.records import DataRef, Dataset, Splits, TrialResult, from_json
from autoft.run import Run, RunWriter

ENDED = "the process of the search ended while it was running"
SAID = "scored after the search: its process had ended before its time"
SCORED = "scored after the search, which could not do it"


class _Report(msgspec.Struct):
    """Of `data_report.json`."""

    store: Kept | None = None


def finish_later(run: Run, listener: Listener) -> Finished:
    """Score the best model and the baseline on the locked test part, and write what the run folder lacks.

    Raises:
        UsageError: the run has an outcome, another process is at work on it, or it has no model.
        DataError: the data are not what they were.
    """
    refuse(run)
    try:
        with held.hold(run.path):
            return _finish(Run(run.path.resolve()), listener)
    except BlockingIOError as error:
        raise _running(run) from error


def refuse(run: Run) -> None:
    """
    Raises:
        UsageError: there is nothing to finish, or not yet.
    """
    if run.metrics and run.metrics["test"] is not None:
        raise UsageError(f"'{run.path}' has its outcome already.", "Its report: autoft report RUN")
    if held.is_held(run.path):
        raise _running(run)
    if not (run.best_folder / artifact.CONFIG).is_file():
        raise UsageError(f"'{run.path}' ended before any trial had a model: there is nothing to score.")


def _running(run: Run) -> UsageError:
    return UsageError(f"a process is still at work on '{run.path}'.", "Wait for its end, or press Ctrl-C there.")


def _finish(run: Run, listener: Listener) -> Finished:
    config, arguments = artifact.read(run.best_folder), run.arguments
    task: Task = registry.installed().get("task", config.task)
    options, writer, summary = _options(run), RunWriter(run.path, run.metric), run.metrics
    if summary:
        writer.results = [_here(writer, result) for result in run.results()]
        writer.best = next((one for one in writer.results if one.name == summary["best"]["trial"]), None)
    else:
        _take_up(writer, run, listener)
    if writer.best is None:
        raise UsageError(f"'{run.path}' keeps no model of a trial any more: there is nothing to score.")
    splits = from_json((run.path / SPLITS).read_bytes(), Splits)
    ref = _data(run, task, config, listener)
    budget, span = Budget(options.time, time.time()), _span(run)
    budget.began -= span  # what the search took; its end stays: scoring has all the time of a search
    place = Storage(options)
    place.begin(writer)
    outcome = finish.Outcome(
        options=options,
        arguments=arguments,
        plan=plan.Plan(task, run.metric, {}, {}, (), config.decoding, 0),
        splits=splits,
        ref=ref,
        writer=writer,
        budget=budget,
        spec=None,
        searching=budget.began,
        interrupted=True,
        storage=place,
        notes=(SAID,),
    )
    return _scored(outcome, writer.best, summary, listener) if summary else finish.finish(outcome, listener)


def _scored(outcome: finish.Outcome, best: TrialResult, summary: dict[str, Any], listener: Listener) -> Finished:
    """The outcome that was written, with the score that it lacks: that of the model in `best/`, as it is.

    Raises:
        TrialFailed: it cannot be scored now either.
    """
    began, writer = time.time(), outcome.writer
    baseline = next((one for one in writer.results if one.number == 0 and one.folder), None)
    refitted = bool(summary["refit"].get("samples"))
    test, said, _ = finish.scored(outcome, str(writer.path / "best"), best, baseline, listener, refitted=refitted)
    if test is None:
        raise TrialFailed(said)
    notes = [note for note in summary["notes"] if not note.startswith(finish.UNSCORED)]
    if said:
        listener(Note(text=said, level="warning"))
    seconds = {**summary["seconds"], "evaluate": time.time() - began}
    told = {"test": test, "notes": [*notes, SCORED, *([said] if said else [])], "seconds": seconds}
    return finish.written(outcome, {**summary, **told}, listener)


def _options(run: Run) -> SearchOptions:
    """Those of the search; whatever it ran on, scoring runs here."""
    known = {key: what for key, what in run.arguments.items() if key in SearchOptions.__struct_fields__}
    here = {"metric": run.metric.name, "address": "", "storage": "", "gpus_per_trial": -1.0}
    return msgspec.convert({**known, **here}, SearchOptions)


def _take_up(writer: RunWriter, run: Run, listener: Listener) -> None:
    """The trials that had ended, and those that had not but have a model: it is as good as its score says."""
    writer.results = [_here(writer, result) for result in run.results()]
    known = {result.number for result in writer.results}
    kept = [result for result in writer.results if result.folder and result.score is not None]
    writer.best = by_worth(kept, run.metric)[0] if kept else None
    for result in writer.results:
        listener(TrialFinished(result=result, best=result is writer.best))
    for folder in sorted((run.path / "trials").glob("t*")):
        trial = re.fullmatch(r"t\d{4,}", folder.name) and (folder / artifact.CONFIG).is_file()
        if trial and int(folder.name[1:]) not in known:
            result = _cut_off(folder)
            listener(TrialFinished(result=result, best=writer.add(result)))
    if writer.best is not None:
        writer.choose(writer.best.number)
    writer.sweep()
    for unfinished in (*(run.path / "trials").glob("*.state"), run.path / "trials" / refit.NAME):
        shutil.rmtree(unfinished, ignore_errors=True)


def _here(writer: RunWriter, result: TrialResult) -> TrialResult:
    """The result with the folder that its model has now: a run may have been moved."""
    folder = writer.trial_folder(result.number)
    kept = bool(result.folder) and (folder / artifact.CONFIG).is_file()
    return msgspec.structs.replace(result, folder=str(folder) if kept else "")


def _cut_off(folder: Path) -> TrialResult:
    config = artifact.read(folder)
    return TrialResult(
        number=int(folder.name[1:]),
        status="stopped",
        model=config.card.name,
        backend=config.backend,
        recipe=config.recipe,
        score=config.score,
        best_epoch=config.epoch,
        epochs=config.epoch,
        reason=ENDED,
        folder=str(folder),
    )


def _span(run: Run) -> float:
    """Seconds from the beginning of the search to its last word."""
    log = run.path / "trials.jsonl"
    last = log if log.is_file() else run.best_folder / artifact.CONFIG
    return max(0.0, last.stat().st_mtime - (run.path / "args.yaml").stat().st_mtime)


def _data(run: Run, task: Task, config: artifact.Config, listener: Listener) -> DataRef:
    """The decoded samples, as they were decoded for the search or, where they are gone, anew from the same files."""
    kept = from_json((run.path / "data_report.json").read_bytes(), _Report).store
    if kept is None:
        raise UsageError(f"'{run.path}' was written by an older version, which cannot be finished later.")
    ref = DataRef(
        store=kept.folder,
        fingerprint=kept.fingerprint,
        dataset=str(run.path / DATASET),
        splits=str(run.path / SPLITS),
    )
    try:
        if Store.open(kept.folder).fingerprint == kept.fingerprint:
            return ref
    except DataError:
        pass  # evicted, or of another machine
    listener(Note(text="the decoded samples are gone: reading the files once more"))
    dataset = from_json((run.path / DATASET).read_bytes(), Dataset)
    found = _decoded(dataset, task, config, kept)
    if found.fingerprint != kept.fingerprint:
        raise DataError(
            "the files must be what they were when the search read them, but some have changed since.",
            f"The model is in {run.best_folder}; autoft val scores it on other data.",
        )
    return msgspec.structs.replace(ref, store=str(found.folder))


def _decoded(dataset: Dataset, task: Task, config: artifact.Config, kept: Kept) -> Store:
    found = inspect(msgspec.structs.replace(dataset, issues=()), task.inputs)
    if len(found.digests) < len(dataset.samples):
        raise DataError(
            f"all {len(dataset.samples):,} files of the search must be there, but {len(found.digests):,} can be read.",
            "; ".join(checks.summarise([issue for issue in found.issues if issue.drops])),
        )
    digests = [longer.marked(digest, one) for digest, one in zip(found.digests, dataset.samples, strict=True)]
    wanted = prepare.forms_of(dataset.samples, config.schema, task, config.decoding, kept.modalities)
    built, _ = store.build(dataset, digests, wanted, config.decoding, cache.cache_root())
    return built
