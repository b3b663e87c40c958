"""Runs trials on Ray Tune. The only file of autoft that names Ray.

Trials are a class trainable with reused actors: starting an actor costs a second, so one actor runs many trials
(measured: 1.0 to 1.6 s per trial for a function trainable, 0.03 to 0.07 s for this), in processes that `host.py` keeps.
Ray is given names and numbers only; data reach the workers through the memory-mapped store.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
os.environ.setdefault("TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S", "3600")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")

import ray
from ray import tune
from ray.tune import schedulers
from ray.tune.search import Searcher as RaySearcher

from autoft.contracts import Searcher
from autoft.errors import TrialFailed, UsageError
from autoft.records import (
    Param,
    TrialSpec,
    to_json,
)
from autoft.search.actor import Turns
from autoft.search.desk import Desk
from autoft.search.flat import Flat
from autoft.search.host import Host
from autoft.search.outcome import Failure, TrialLost, within
from autoft.search.process import for_workers, imported, interruptible
from autoft.search.settings import Cluster, Observer, Settings, answers, check_scheduler, mutable
from autoft.search.shift import TASKS, Shift

SpecMaker = Callable[[int, dict[str, Any]], TrialSpec | None]
POPULATION = 8
"""Trials of population based training when --trials is not given."""


def start(address: str = "", cpus: int = 0) -> Cluster:
    """Connect to a running cluster, or start one on this machine.

    Raises:
        UsageError: nothing answers at `address`.
    """
    environment = for_workers(os.environ)
    try:
        answers(address)  # Ray itself would wait for minutes
        _silence()
        ray.init(
            address=address or "local",  # without a word, Ray would look for a cluster by itself
            num_cpus=None if address else cpus or os.cpu_count(),
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.FATAL,
            configure_logging=True,
            ignore_reinit_error=True,
            runtime_env={"env_vars": environment} if environment and address else None,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"--address must name a running Ray cluster, but '{address or 'local'}' does not answer: {error}"
        ) from error
    for name in ("ray.tune", "ray.train", "ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    total = ray.cluster_resources()
    alive = sum(node["Alive"] for node in ray.nodes())
    return Cluster(cpus=total.get("CPU", 1.0), gpus=total.get("GPU", 0.0), nodes=alive)


def stop() -> None:
    ray.shutdown()


def _silence() -> None:
    """Ray tells of lost processes on standard output, whatever its level of logging; we tell of them ourselves."""
    if hasattr(ray._private.worker, "print_to_stdstream"):
        ray._private.worker.print_to_stdstream = lambda *_, **__: None


def call(function: str, arguments: Sequence[tuple[Any, ...]], *, cpus: float, gpus: float, timeout: float) -> list[Any]:
    """Run `package.module:function` once per tuple of arguments, each in a worker process of its own, at once.

    Raises what the function raised, or TimeoutError after `timeout` seconds.
    """
    remote = ray.remote(num_cpus=cpus, num_gpus=gpus, max_calls=1, max_retries=1)(_call)
    pending = [remote.remote(function, args) for args in arguments]
    try:
        return list(ray.get(pending, timeout=timeout))
    except (ray.exceptions.GetTimeoutError, KeyboardInterrupt) as error:
        for one in pending:
            ray.cancel(one, force=True)
        if isinstance(error, KeyboardInterrupt):
            raise
        raise TimeoutError(f"{function} took longer than {timeout:.0f} s") from error
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, Exception) else error from None
    except ray.exceptions.RayError as error:
        raise TrialFailed(f"the process of {function} died.", "It may have run out of memory.") from error


def _call(function: str, arguments: tuple[Any, ...]) -> Any:
    return imported(function)(*arguments)


def run(settings: Settings, searcher: Searcher, spec_of: SpecMaker, observer: Observer) -> bool:
    """Run trials until there is nothing left to try, the deadline has come, or Ctrl-C was pressed.

    `spec_of` makes a trial of what the searcher proposes, or None when no more trials should start.
    Returns whether the user interrupted.
    """
    flat = Flat(settings, searcher, spec_of, observer)
    if settings.scheduler == "pbt":  # a fixed set of trials that train side by side
        space = _all_at_once(flat, settings.trials or POPULATION)
        return _fit(settings, flat, _Actor, scheduler=_scheduler(settings), space=space, kept=4)
    return _fit(settings, flat, _Actor, scheduler=_scheduler(settings), samples=settings.trials or -1)


def run_strategy(settings: Settings, desk: Desk) -> bool:
    """Do what the desk of a strategy hands out, until it is over, the deadline has come, or Ctrl-C was pressed.

    Returns whether the user interrupted.
    """
    return _fit(settings, desk, _Shifts, samples=-1)


def _fit(
    settings: Settings,
    desk: Desk,
    trainable: type,
    scheduler: Any = None,
    space: dict[str, Any] | None = None,
    samples: int = 1,
    kept: int = 1,
) -> bool:
    with interruptible() as interrupted:
        tuner = tune.Tuner(
            tune.with_resources(trainable, {"cpu": settings.cpus, "gpu": settings.gpus}),
            param_space=space,
            tune_config=tune.TuneConfig(
                metric="score",
                mode=settings.metric.mode,
                search_alg=None if space else _Source(settings, desk),
                scheduler=scheduler,
                num_samples=samples,
                max_concurrent_trials=settings.concurrency or None,
                reuse_actors=True,
                trial_name_creator=lambda trial: str(trial.config["trial"]["number"]),
                trial_dirname_creator=str,
            ),
            run_config=tune.RunConfig(
                name="tune",
                storage_path=settings.folder,
                verbose=0,
                callbacks=[_Events(desk)],
                stop=_Until(settings.deadline, interrupted),
                # Errors of a trial itself are reported, not raised, so what reaches Ray is a lost process: try again.
                failure_config=tune.FailureConfig(max_failures=1),
                checkpoint_config=tune.CheckpointConfig(num_to_keep=kept, checkpoint_at_end=False),
            ),
        )
        tuner.fit()
    desk.end("interrupted" if interrupted() else "out of time")
    return interrupted()


def _all_at_once(desk: Desk, count: int) -> dict[str, Any]:
    """A parameter space with `count` configurations, for schedulers that take no searcher."""
    configs = [config for config in (desk.next() for _ in range(count)) if config is not None]
    params = {config["trial"]["number"]: config["params"] for config in configs}
    return {
        "trial": tune.grid_search([config["trial"] for config in configs]),
        "params": tune.sample_from(lambda spec: params[spec.config["trial"]["number"]]),
    }


class _Actor(tune.Trainable):  # type: ignore[misc]
    """Runs one trial after another. It loads no framework itself."""

    turns: Turns

    def setup(self, config: dict[str, Any]) -> None:
        self.turns = Turns()
        self.turns.take(config)

    def step(self) -> dict[str, Any]:
        return self.turns.step(int(self.trial_name))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.turns.take(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        self.turns.save(checkpoint_dir)

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        self.turns.load(int(self.trial_name), checkpoint_dir)

    def cleanup(self) -> None:
        self.turns.close()


def _number(trial: Any) -> int:
    """Ours, of one of Ray's trials. Not read from its configuration: see `spec_of_config`."""
    return int(str(trial))


def _failure_of(trial: Any) -> Failure:
    """Why Ray gave up one of its trials."""
    error = trial.get_pickled_error() or trial.get_error()
    cause = getattr(error, "cause", None)
    if isinstance(cause, TrialLost):
        return cause.failure
    text = str(error) if error else "the worker process died"
    return Failure(reason=text.strip().splitlines()[-1], traceback=text)


class _Shifts(tune.Trainable):  # type: ignore[misc]
    """Works through the orders of a strategy, one piece of work after another."""

    host: Host
    shift: Shift

    def setup(self, config: dict[str, Any]) -> None:
        self.host = Host()
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        trial = new_config["trial"]
        self.shift = Shift(self.host, trial["target"], TASKS.decode(trial["tasks"]))
        return True

    def step(self) -> dict[str, Any]:
        events = self.shift.work()
        return {"score": 0.0, "events": to_json(events), "done": self.shift.over}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Trials that pause keep their own state."""

    def cleanup(self) -> None:
        self.host.close()


class _Source(RaySearcher):  # type: ignore[misc]
    """A desk in the clothes of Ray's searchers."""

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()  # Ray pickles its configuration; what listens and proposes stays in this process

    def __init__(self, settings: Settings, desk: Desk) -> None:
        super().__init__(metric="score", mode=settings.metric.mode)
        self.desk = desk

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        config = self.desk.next()
        return str(self.FINISHED) if config is None and self.desk.over() else config

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None: ...

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None: ...

    # Ray's own record of the search is never restored: `trials.jsonl` is the source of truth.
    def get_state(self) -> dict[str, Any]:
        return {}

    def set_state(self, state: dict[str, Any]) -> None: ...

    def save(self, checkpoint_path: str) -> None: ...

    def restore(self, checkpoint_path: str) -> None: ...


class _Events(tune.Callback):  # type: ignore[misc]
    """Passes Ray's events on to a desk."""

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()  # see `_Source`

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.desk.started(_number(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        self.desk.told(_number(trial), result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.desk.completed(_number(trial), trial.last_result or {})

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.desk.failed(_number(trial), _failure_of(trial))

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.desk.recovering(_number(trial), kept=bool(trial.has_checkpoint()))


class _Until(tune.Stopper):  # type: ignore[misc]
    """Ends the search at its deadline or on Ctrl-C."""

    def __init__(self, deadline: float, interrupted: Callable[[], bool]) -> None:
        self.deadline = deadline
        self.interrupted = interrupted

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self.interrupted() or bool(self.deadline and time.time() > self.deadline)


class _Sparing:
    """Lets the baseline run to its end: the gain that a search reports is measured against it."""

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        decision: str = super().on_trial_result(controller, trial, result)  # type: ignore[misc]
        return schedulers.TrialScheduler.CONTINUE if _number(trial) == 0 else decision


class _Asha(_Sparing, schedulers.ASHAScheduler):  # type: ignore[misc]
    """Asynchronous successive halving."""


class _Median(_Sparing, schedulers.MedianStoppingRule):  # type: ignore[misc]
    """Stops what is worse than the median of the others."""


def _scheduler(settings: Settings) -> Any:
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
