"""The end of a search: the test part is opened, once, and everything is written down."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from autoft import artifact, evaluate, machine, remote
from autoft.abilities import Baselined
from autoft.atomic import write_text
from autoft.counted import near_blank, shown
from autoft.errors import BudgetEnded, Interrupted, NoTrialSucceeded, TrialFailed, UsageError
from autoft.events import Finished, Listener, Note
from autoft.names import listed
from autoft.options import SearchOptions
from autoft.pipeline import lasttraining, plan, resources
from autoft.pipeline.budget import WRITING, Budget
from autoft.pipeline.storage import Storage
from autoft.records import DataRef, Metric, Sample, Schema, Splits, TrialResult, TrialSpec, to_json
from autoft.report.card import model_card
from autoft.report.write import write_report
from autoft.run import RunWriter
from autoft.search import host
from autoft.trialdata import open_data

if TYPE_CHECKING:
    from autoft.contracts import Array


UNSCORED = "the test part"
"""How the notes begin that say why it was not scored."""
AGAIN = "autoft report {} --finish"
LEAST: Final = 60.0
"""Seconds that predictions for the test part may take however late it is. Where more of the search's time is left they
have that: a machine that others use takes many times as long as was planned for."""
ALONE: Final = {
    "baseline": None,
    "gain": 0.0,
    "gain_interval": [0.0, 0.0],
    "significant": False,
    "verdict": "the baseline itself is the best model",
}
"""What is told of a model with which no other is compared."""


class Outcome(NamedTuple):
    """What a search has come to, before its last step."""

    options: SearchOptions
    arguments: dict[str, Any]
    """The resolved options as they stand in `args.yaml`."""
    plan: plan.Plan
    splits: Splits
    ref: DataRef
    writer: RunWriter
    budget: Budget
    spec: TrialSpec | None
    """Of the best trial; None where it is not known any more and nothing is trained."""
    searching: float
    """Unix time at which the first trial could start."""
    interrupted: bool
    storage: Storage
    notes: tuple[str, ...] = ()
    """What else is to be said of how it went."""
    on_ray: bool = False
    """Whether the trials ran on Ray; of a run that is finished later nobody knows with which version."""


def finish(outcome: Outcome, listener: Listener) -> Finished:
    """Score the best model and the baseline on the test part, and write what the run folder still lacks."""
    writer, began = outcome.writer, time.time()
    best = writer.best
    assert best is not None  # the caller has checked that there is a model
    ended = began > outcome.budget.deadline  # by time, and not by itself
    again = lasttraining.train(outcome, best, listener)
    refitted = time.time()
    baseline = next((r for r in writer.results if r.number == 0 and r.folder), None)
    notes: list[str] = [outcome.splits.sentence, *outcome.notes]
    stopped = outcome.interrupted or again.get("left_out") == lasttraining.INTERRUPTED
    if outcome.options.address and evaluate.heard_in_parts(outcome.plan.decoding):
        notes.append(f"recordings were scored by their first {outcome.plan.decoding.seconds:g} seconds alone")
    refitted_too = bool(again.get("samples"))
    model = lasttraining.folder(outcome) if refitted_too else remote.join(outcome.storage.trials(), best.name)
    test, said, cut_off = scored(outcome, model, best, baseline, listener, refitted=refitted_too)
    if said:
        notes.append(said)
        listener(Note(text=said if test else f"{said}. To try it again: {AGAIN.format(writer.path)}", level="warning"))
    if again:
        lasttraining.tidy(outcome)
    config = artifact.read(writer.path / "best")
    summary = {
        "task": outcome.plan.task.name,
        "metric": outcome.plan.metric.name,
        "mode": outcome.plan.metric.mode,
        "status": _status(ended, stopped or cut_off),
        "best": {**_about(best, outcome.plan.metric), "calibrated": config.schema.extra.get("calibrated", {})},
        "baseline": _about(baseline, outcome.plan.metric) if baseline else None,
        "refit": again,
        "test": test,
        "scored_at": plan.scored_at(outcome.plan),
        "trials": {s: sum(r.status == s for r in writer.results) for s in ("finished", "stopped", "failed")},
        "seconds": {
            "prepare": outcome.searching - outcome.budget.began,
            "search": began - outcome.searching,
            "refit": refitted - began,
            "evaluate": time.time() - refitted,
            "total": time.time() - outcome.budget.began,
        },
        "command": outcome.arguments["command"],
        "versions": _versions(best, ray=outcome.on_ray),
        "notes": notes,
        "paths": {"best": str(writer.path / "best"), "run": str(writer.path), **outcome.storage.paths()},
    }
    return written(outcome, summary, listener)


def written(outcome: Outcome, summary: dict[str, Any], listener: Listener) -> Finished:
    """Write the outcome down, for people and programs."""
    writer = outcome.writer
    writer.write_json("metrics.json", summary)
    card = model_card(artifact.read(writer.path / "best"), summary, outcome.arguments)
    write_text(writer.path / "best" / "README.md", card)
    write_report(writer.path)
    outcome.storage.publish(writer, listener)
    finished = Finished(folder=str(writer.path), summary=summary)
    listener(finished)
    return finished


def scored(
    outcome: Outcome,
    model: str,
    best: TrialResult,
    baseline: TrialResult | None,
    listener: Listener,
    *,
    refitted: bool,
) -> tuple[dict[str, Any] | None, str, bool]:
    """The scores of `model` on the test part, if there are any; what must be said of them; and whether it was
    interrupted."""
    try:
        test = _test(outcome, model, best, baseline, listener, refitted=refitted)
    except KeyboardInterrupt:
        return None, f"{UNSCORED} was not scored: it was interrupted", True
    except Exception as error:  # whatever a backend raises here: the model and the log of trials are good
        return None, f"{UNSCORED} could not be scored: {error}", False
    said = []
    if few := test.pop("few_groups"):
        groups = f"{few} {'groups' if few > 1 else 'group'}"
        said.append(f"the test part has {groups}: its intervals tell how sure the score is for these, not for others")
    if absent := test.pop("absent"):
        said.append(f"the test part has no sample of {listed(absent)}: its scores say nothing of that")
    return test, "; ".join(said), False


def _absent(samples: Sequence[Sample], classes: Sequence[str]) -> list[str]:
    """Classes that no sample has, where each sample has one."""
    found = {str(sample.fields["label"]) for sample in samples if "label" in sample.fields}
    return [name for name in classes if name not in found] if found else []


def _test(
    outcome: Outcome,
    model: str,
    best: TrialResult,
    baseline: TrialResult | None,
    listener: Listener,
    *,
    refitted: bool,
) -> dict[str, Any]:
    ids, task, metric = outcome.splits.test, outcome.plan.task, outcome.plan.metric
    schema = artifact.read(outcome.writer.path / "best").schema
    rivals = [(model, best.backend)]
    if baseline is not None and (refitted or baseline.number != best.number):
        rivals.append((remote.join(outcome.storage.trials(), baseline.name), baseline.backend))
    answers = _predicted(outcome, rivals, listener)
    samples = open_data(outcome.ref).samples
    groups, seed = [samples[name][1].group for name in ids], outcome.options.seed
    decoded, targets = answers[0]
    left = _left(outcome) / 3  # the other two thirds for a resample of two models
    band = evaluate.interval(task, decoded, targets, schema, metric, seed, groups, left)
    report: dict[str, Any] = {
        "samples": len(ids),
        "few_groups": evaluate.few_groups(groups),
        "absent": _absent([samples[name][1] for name in ids], schema.classes),
        "metrics": evaluate.all_metrics(task, decoded, targets, schema),
        "interval": band.bounds,
        "interval_note": band.note,
        "resamples": band.resamples,
        "confidence": evaluate.CONFIDENCE,
        **ALONE,
    }
    if len(rivals) == 2:
        other = answers[1][0]
        worse = evaluate.all_metrics(task, other, targets, schema)
        gained, why = _telling(metric, report["metrics"], worse)
        gain = evaluate.compare(task, decoded, other, targets, schema, gained, seed, groups, _left(outcome))
        verdict = why + gain.verdict
        if baseline is not None and baseline.number == best.number:
            verdict = f"the default recipe is the best; having learned from the validation part too: {verdict}"
        report |= {
            "baseline": worse,
            "gain": gain.gain,
            "gain_metric": gained.name,
            "gain_interval": gain.interval.bounds,
            "gain_note": gain.interval.note,
            "significant": gain.significant,
            "verdict": verdict,
        }
    elif baseline is None:
        report["verdict"] = "there is no baseline to compare with: trial 0 gave no model"
    else:
        report["baseline"] = report["metrics"]
    if isinstance(task, Baselined):
        report["plain"] = _plain(outcome, task, schema, targets, decoded, groups)
        if said := report["plain"].pop("verdict", ""):
            report["verdict"] += f"; {said}"
    return report


def _left(outcome: Outcome) -> float:
    """Seconds that intervals may take."""
    return _rest(outcome) - outcome.budget.plain


def _rest(outcome: Outcome) -> float:
    """Seconds until the run must be written."""
    return outcome.budget.end - time.time() - WRITING - outcome.budget.transfer


def _telling(metric: Metric, *models: dict[str, float | None]) -> tuple[Metric, str]:
    """The metric that tells these models apart, and why it is not that of the search, where it is not."""
    values = [value for model in models if (value := model.get(metric.name)) is not None]
    if metric.stand_in is None or len(values) < len(models) or not all(near_blank(metric, value) for value in values):
        return metric, ""
    return metric.stand_in, f"compared by {metric.stand_in.name}, as {metric.name} near {metric.blank:g} says nothing: "


def _plain(
    outcome: Outcome,
    method: Baselined,
    schema: Schema,
    targets: Mapping[str, Array],
    best: Mapping[str, Array],
    groups: Sequence[str],
) -> dict[str, Any]:
    """What a method without networks makes of the same data: its name, its scores on the test part, and what the model
    gains over it there; a `verdict` where it loses."""
    samples, first = open_data(outcome.ref).samples, outcome.splits.folds[0]
    train, test = ([samples[name][1] for name in names] for names in ((*first.train, *first.val), outcome.splits.test))
    seconds = _rest(outcome)
    try:
        if seconds <= 0:
            raise TimeoutError("no time was left")
        name, decoded = method.plain(train, test, schema, seconds)
    except TimeoutError as error:
        return {"name": "", "failed": f"left out to end in time: {error}"}
    except Exception as error:  # the search's own result does not hang on it
        return {"name": "", "failed": f"{type(error).__name__}: {error}"}
    task, metric, seed = outcome.plan.task, outcome.plan.metric, outcome.options.seed
    found = evaluate.compare(task, best, decoded, targets, schema, metric, seed, groups, _rest(outcome), rival=name)
    return {
        "name": name,
        "metrics": evaluate.all_metrics(task, decoded, targets, schema),
        "gain": found.gain if math.isfinite(found.gain) else None,
        "gain_interval": found.interval.bounds,
        "significant": found.significant,
        "verdict": f"beside a method without a network: {found.verdict}" if found.gain <= 0 else "",
    }


def _predicted(
    outcome: Outcome, rivals: list[tuple[str, str]], listener: Listener
) -> list[tuple[dict[str, Array], dict[str, Array]]]:
    """Predictions of these models, each with its backend, for the test part, and its targets. A process for each model:
    two frameworks do not share one."""
    options, ids = outcome.options, outcome.splits.test
    limit = max(LEAST, 3 * outcome.budget.reserve, outcome.budget.end - time.time())
    threads, cards = outcome.spec.resources.threads if outcome.spec else 1, options.gpus_per_trial
    if options.address:  # the machines with the memory and the GPUs are elsewhere
        from autoft.search import ray

        asked = [(place, outcome.ref, ids, threads, cards, False) for place, _ in rivals]
        shares = {"cpus": resources.cpus(options), "gpus": cards}
        try:
            return ray.call("autoft.evaluate:predict_test", asked, timeout=limit, **shares)
        except (TimeoutError, TrialFailed) as error:  # the nodes are taken by others, or gone
            listener(Note(text=f"{error}; the test part is scored on this machine instead", level="warning"))
            cards = -1.0
    # Nothing else runs here any more: the models have all cores, and see all GPUs.
    threads = max(threads, machine.cores() // len(rivals))
    with tempfile.TemporaryDirectory(prefix="autoft-") as scratch:
        jobs = []
        for number, (place, _) in enumerate(rivals):
            out = Path(scratch) / str(number)
            out.mkdir()
            jobs.append(
                evaluate.ScoreJob(
                    folder=place,
                    ref=outcome.ref,
                    ids=ids,
                    threads=threads,
                    cards=cards,
                    files=not options.address,
                    out=str(out),
                )
            )
        backends = [backend for _, backend in rivals]
        host.call("autoft.evaluate:write_test", [to_json(job) for job in jobs], backends, limit)
        return [evaluate.read_test(job) for job in jobs]


def no_model(writer: RunWriter, interrupted: bool, no_room: str, waited: str = "") -> Exception:
    """Why a search has come to no model, to be raised."""
    if no_room:
        return UsageError(f"{no_room}, and no trial has a model.", "Free some space, or use another --out.")
    failed = [result for result in writer.results if result.status == "failed"]
    if failed and len(failed) == len(writer.results):
        return NoTrialSucceeded(
            f"all {len(failed)} trials failed; the first one: {failed[0].reason}",
            f"Tracebacks are in {writer.path / 'trials.jsonl'}; -v shows them.",
        )
    if interrupted:
        return Interrupted("interrupted before the first trial had a model.")
    if waited:
        return BudgetEnded(
            f"the budget ended before any trial could start: {waited}.",
            "Wait until the cluster is free, or ask for less with --cpus-per-trial and --gpus-per-trial.",
        )
    return BudgetEnded(
        "the budget ended before any trial came to the end of its first epoch.",
        "Give more --time, or a smaller network: --preset fast",
    )


def _status(ended: bool, stopped: bool) -> str:
    if stopped:
        return "interrupted"
    return "time" if ended else "finished"


def _about(result: TrialResult, metric: Metric) -> dict[str, Any]:
    return {
        "trial": result.name,
        "model": result.model,
        "backend": result.backend,
        "score": shown(metric, result.score, result.metrics),
        "metrics": result.metrics,
        "recipe": result.recipe.flat(),
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
        "seconds": result.seconds,
        "folder": result.folder,
    }


def _versions(best: TrialResult, *, ray: bool) -> dict[str, str]:
    return artifact.read(Path(best.folder)).versions | ({"ray": version("ray")} if ray else {})
