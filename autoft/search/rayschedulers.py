"""The schedulers of Ray Tune, as searches use them. Imported by `ray.py` alone, which sets Ray's switches first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ray import tune
from ray.tune import schedulers

from autoft.records import Param
from autoft.search.outcome import number_of, within
from autoft.search.settings import Settings, check_scheduler, mutable


class _Sparing:
    """Lets the baseline run to its end: the gain that a search reports is measured against it."""

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        decision: str = super().on_trial_result(controller, trial, result)  # type: ignore[misc]
        return schedulers.TrialScheduler.CONTINUE if number_of(trial) == 0 else decision


class _Asha(_Sparing, schedulers.ASHAScheduler):  # type: ignore[misc]
    """Asynchronous successive halving."""


class _Median(_Sparing, schedulers.MedianStoppingRule):  # type: ignore[misc]
    """Stops what is worse than the median of the others."""


def scheduler_of(settings: Settings) -> Any:
    epochs = settings.epochs
    match check_scheduler(settings.scheduler):
        case "asha":
            # The first rung at 2 epochs: after 1, ranks say little about the end (warm-up; see docs/search.md).
            return _Asha(max_t=epochs, grace_period=min(2, epochs), reduction_factor=3)
        case "hyperband":
            return schedulers.HyperBandScheduler(max_t=epochs, reduction_factor=3)
        case "median":
            return _Median(time_attr="training_iteration", grace_period=min(2, epochs), min_samples_required=3)
        case "pbt":
            return schedulers.PopulationBasedTraining(
                time_attr="training_iteration",
                perturbation_interval=max(1, epochs // 5),
                hyperparam_mutations={"params": _mutations(settings.space)},
                quantile_fraction=0.25,
                resample_probability=0.0,  # a learning rate drawn anew could be one for another optimizer
                custom_explore_fn=lambda config: {**config, "params": within(config["params"], settings.space)},
                synch=False,
            )
    return schedulers.FIFOScheduler()


def _mutations(space: Sequence[Param]) -> dict[str, Any]:
    return {
        param.key: list(dict.fromkeys(param.choices))
        if param.kind == "choice"
        else (tune.loguniform if param.log else tune.uniform)(param.low, param.high)
        for param in mutable(space)
    }
