"""The last training of a search: whether there is time for it, where it runs, and what is said of it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from autoft import artifact, refit, remote, shelf
from autoft.course import repeated
from autoft.events import Listener, Note
from autoft.pipeline import resources
from autoft.records import TrialResult, from_json, to_json
from autoft.refit import Refitted
from autoft.search import host

HOPE = 0.75
"""Part of the expected seconds with which it is worth trying: without other trials beside it a training may be quicker,
and one that is not ends at its deadline, with nothing lost."""
INTERRUPTED = "it was interrupted"
GRACE = 5.0
"""Seconds that a process may take beyond the time it was told to end by."""

if TYPE_CHECKING:
    from autoft.pipeline.finish import Outcome


def train(outcome: Outcome, best: TrialResult, listener: Listener) -> dict[str, Any]:
    """Train the configuration of the best trial once more, on training and validation together, and put that model
    into `best/`.

    Returns what the summary says of it: samples, epochs, seconds, and how it did on the samples that validated
    (`checked`), or why it was `left_out`; nothing where it was not wanted. Whatever fails here, the model of the trial
    itself is there.
    """
    if not outcome.options.refit:
        return {}
    began = time.time()
    try:
        _possible(outcome, best)
        samples = len(outcome.splits.folds[0].train) + len(outcome.splits.folds[0].val)
        listener(Note(text=f"training the best configuration once more, on all {samples:,} samples that are not test"))
        found = _fit(outcome, best)
    except KeyboardInterrupt:
        return _left_out(INTERRUPTED, listener)
    except Exception as error:  # whatever a backend raises here: there is a model already
        return _left_out(str(error), listener)
    return {
        "samples": samples,
        "epochs": repeated(best.recipe, best.best_epoch).epochs,
        "seconds": time.time() - began,
        "checked": msgspec.to_builtins(found),
    }


def folder(outcome: Outcome) -> str:
    """Where that model lies for those who score it."""
    return remote.join(outcome.storage.trials(), refit.NAME)


def tidy(outcome: Outcome) -> None:
    """When it has been scored, the model in `best/` is enough."""
    remote.discard(str(outcome.writer.path / "trials" / refit.NAME))
    if remote.is_address(place := folder(outcome)):
        remote.discard(place)


def _left_out(why: str, listener: Listener) -> dict[str, Any]:
    listener(Note(text=f"the best model learns from the training part alone: {why}", level="detail"))
    return {"left_out": why}


def _possible(outcome: Outcome, best: TrialResult) -> None:
    """
    Raises:
        TimeoutError: it would not come to its end.
        ValueError: the trial did not have one configuration from its beginning to its end.
        FileNotFoundError: the model that the trial began with is gone.
    """
    if outcome.interrupted or outcome.spec is None:
        raise TimeoutError("the search was interrupted")
    needed, left = outcome.budget.to_refit(best), outcome.budget.end - outcome.budget.reserve - time.time()
    if HOPE * needed > left:
        raise TimeoutError(f"it would take about {needed:.0f} s, but {max(0.0, left):.0f} s were left")
    recipe = outcome.spec.recipe
    if recipe.precision == "auto":  # the trial has what its learner chose
        recipe = msgspec.structs.replace(recipe, precision=best.recipe.precision)
    if msgspec.structs.replace(recipe, epochs=best.recipe.epochs) != best.recipe:
        raise ValueError("its configuration was changed while it trained")
    start = outcome.spec.start
    if start and not remote.is_address(start) and not Path(start).is_dir():
        raise FileNotFoundError("it began with the model of another trial, which was not kept")


def _fit(outcome: Outcome, best: TrialResult) -> Refitted:
    assert outcome.spec is not None  # else it was not possible
    options, place = outcome.options, folder(outcome)
    deadline = outcome.budget.end - outcome.budget.reserve
    schema = artifact.read(Path(best.folder)).schema
    limit = max(1.0, deadline - time.time()) + GRACE
    found: Refitted
    with tempfile.TemporaryDirectory(prefix="autoft-") as scratch:
        out = Path(scratch) / "refitted.json"
        job = to_json(refit.job(outcome.spec, best, schema, place, deadline, str(out)))
        if options.address:  # the machines with the memory and the GPUs are elsewhere
            from autoft.search import ray

            needs = {"cpus": resources.cpus(options), "gpus": max(0.0, options.gpus_per_trial)}
            (found,) = ray.call("autoft.refit:fit", [(job,)], timeout=limit, memory=resources.memory(options), **needs)
        else:
            host.call("autoft.refit:write_fit", [job], [best.backend], limit)
            found = from_json(out.read_bytes(), Refitted)
    local = outcome.writer.path / "trials" / refit.NAME
    if remote.is_address(place):
        shelf.fetch(place, local)
    outcome.writer.publish(local)
    return found
