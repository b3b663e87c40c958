"""Runs trials on Ray Tune. Beside `raynodes.py`, `rayschedulers.py` and `raywords.py` the only file that names Ray.

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

import msgspec
import ray
from ray import tune
from ray.tune.search import Searcher as RaySearcher

from autoft.contracts import Searcher
from autoft.errors import TrialFailed, UsageError
from autoft.machine import cores
from autoft.records import (
    TrialSpec,
    to_json,
)
from autoft.search import raynodes, raywords
from autoft.search.actor import Turns
from autoft.search.desk import Desk
from autoft.search.host import Host
from autoft.search.outcome import number_of
from autoft.search.process import called, for_workers, interruptible, submitted
from autoft.search.raydesk import RayDesk
from autoft.search.rayschedulers import scheduler_of
from autoft.search.settings import LOCAL, Cluster, Observer, Settings, answers
from autoft.search.shift import LEGS, Shift

SpecMaker = Callable[[int, dict[str, Any]], TrialSpec | None]
Waiting = Callable[[str], None]
"""Told why no trial starts, and an empty word when one does after all."""
PATIENCE = 30.0
"""Seconds without a running trial after which that is told."""
POPULATION = 8
"""Trials of population based training when --trials is not given."""


def _unheard(words: str) -> None:
    """Nobody listens."""


def start(address: str = "", cpus: int = 0) -> Cluster:
    """Connect to a running cluster, or start one on this machine.

    Raises:
        UsageError: nothing answers at `address`, or it is one that trials cannot be run at.
    """
    if address.startswith("ray://"):
        raise UsageError(
            f"--address must name a Ray cluster itself, but '{address}' is Ray Client, which Ray Tune does not run on.",
            "Run autoft on a machine of the cluster with --address auto, or by `ray job submit`.",
        )
    environment = for_workers(os.environ)
    for name in submitted(os.environ):  # Ray refuses what a job was already given
        environment.pop(name, None)
    try:
        answers(address)  # Ray itself would wait for minutes
        _silence()
        ray.init(
            address=address or LOCAL,  # without a word, Ray would look for a cluster by itself
            num_cpus=None if address else cpus or cores(),
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.FATAL,
            configure_logging=True,
            ignore_reinit_error=True,
            runtime_env={"env_vars": environment} if environment and address else None,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"--address must name a running Ray cluster, but '{address or 'local'}' does not answer: {error}",
            raywords.secret(error),
        ) from error
    for name in ("ray.tune", "ray.train", "ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    elsewhere = address not in ("", LOCAL)
    return Cluster(machines=raynodes.alive(), grows=elsewhere and raynodes.grows())


def fit(there: Cluster, needs: str, seconds: float) -> tuple[Cluster, dict[str, str]]:
    """The cluster without those nodes that cannot run the trials, which get none, and why each cannot (`fitness`)."""
    holding = tuple(one for one in there.machines if one.key and one.cpus >= 1)
    said = raynodes.unfit(holding, needs, seconds) if len(there.machines) > 1 else {}
    bad = [one for one in holding if said.get(one.key)]
    if len(bad) < len(holding):
        raynodes.leave_out(tuple(bad))
    left = tuple(one for one in there.machines if one not in bad)
    return msgspec.structs.replace(there, machines=left), {one.name: said[one.key] for one in bad}


def stop() -> None:
    raynodes.forget()
    ray.shutdown()


def _silence() -> None:
    """Ray tells of lost processes on standard output, whatever its level of logging; we tell of them ourselves."""
    if hasattr(ray._private.worker, "print_to_stdstream"):
        ray._private.worker.print_to_stdstream = lambda *_, **__: None


def call(
    function: str,
    arguments: Sequence[tuple[Any, ...]],
    *,
    cpus: float,
    gpus: float,
    timeout: float,
    memory: float = 0.0,
) -> list[Any]:
    """Run `package.module:function` once per tuple of arguments, each in a worker process of its own, at once.

    Raises what the function raised, or TimeoutError after `timeout` seconds.
    """
    needs = {"num_cpus": cpus, "num_gpus": gpus, "memory": memory or None, **raynodes.tasks_on()}
    remote = ray.remote(max_calls=1, max_retries=1, **needs)(called)
    pending = [remote.remote(function, *args) for args in arguments]
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


def run(
    settings: Settings, searcher: Searcher, spec_of: SpecMaker, observer: Observer, waiting: Waiting = _unheard
) -> bool:
    """Run trials until there is nothing left to try, the deadline has come, or Ctrl-C was pressed.

    `spec_of` makes a trial of what the searcher proposes, or None when no more trials should start; `waiting` is told
    why none starts. Returns whether the user interrupted.
    """
    desk, scheduler = RayDesk(settings, searcher, spec_of, observer), scheduler_of(settings)
    if settings.scheduler == "pbt":  # a fixed set of trials that train side by side
        space = _all_at_once(desk, settings.trials or POPULATION)
        return _fit(settings, desk, waiting, _Actor, scheduler=scheduler, space=space, kept=4)
    return _fit(settings, desk, waiting, _Actor, scheduler=scheduler, samples=settings.trials or -1)


def run_strategy(settings: Settings, desk: Desk, waiting: Waiting = _unheard) -> bool:
    """Do what the desk of a strategy hands out, until it is over, the deadline has come, or Ctrl-C was pressed.

    Returns whether the user interrupted.
    """
    return _fit(settings, desk, waiting, _Shifts, samples=-1)


def _fit(
    settings: Settings,
    desk: Desk,
    waiting: Waiting,
    trainable: type,
    scheduler: Any = None,
    space: dict[str, Any] | None = None,
    samples: int = 1,
    kept: int = 1,
) -> bool:
    queue = _Queue(waiting, settings.gpus)
    with interruptible() as interrupted:
        tuner = tune.Tuner(
            tune.with_resources(trainable, raynodes.trials_on(_share(settings.cpus, settings.gpus, settings.memory))),
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
                callbacks=[_Events(desk, queue)],
                stop=_Until(settings.deadline, interrupted, queue),
                # Errors of a trial itself are reported, not raised, so what reaches Ray is a lost process: try again.
                failure_config=tune.FailureConfig(max_failures=1),
                checkpoint_config=tune.CheckpointConfig(num_to_keep=kept, checkpoint_at_end=False),
            ),
        )
        tuner.fit()
    desk.end("interrupted" if interrupted() else "out of time")
    return interrupted()


def _share(cpus: float, gpus: float, memory: float) -> dict[str, float]:
    return {"cpu": cpus, "gpu": gpus, **({"memory": memory} if memory else {})}


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
        return self.turns.step(number_of(self.trial_name))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.turns.take(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        self.turns.save(checkpoint_dir)

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        self.turns.load(number_of(self.trial_name), checkpoint_dir)

    def cleanup(self) -> None:
        self.turns.close()


class _Shifts(tune.Trainable):  # type: ignore[misc]
    """Works through the orders of a strategy, one piece of work after another."""

    host: Host
    shift: Shift

    def setup(self, config: dict[str, Any]) -> None:
        self.host = Host()
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        trial = new_config["trial"]
        self.shift = Shift(self.host, trial["target"], LEGS.decode(trial["legs"]))
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

    def __init__(self, desk: Desk, queue: _Queue) -> None:
        self.desk, self.queue = desk, queue

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        if any(trial.status == "RUNNING" for trial in reversed(trials)):  # the last ones, mostly
            self.queue.left()

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.queue.left()
        self.desk.started(number_of(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        self.desk.told(number_of(trial), result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.desk.completed(number_of(trial), trial.last_result or {})

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.desk.failed(number_of(trial), raywords.failure_of(trial))

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.desk.recovering(number_of(trial), kept=bool(trial.has_checkpoint()))


class _Queue:
    """While trials wait and none runs, at the beginning or when nodes were lost: says why, once each time."""

    def __init__(self, waiting: Waiting, gpus: float = 0.0) -> None:
        self.waiting, self.since, self.said = waiting, time.monotonic(), False
        self.wanted = ("CPU", "GPU") if gpus else ("CPU",)

    def look(self) -> None:
        if self.said or time.monotonic() - self.since < PATIENCE:
            return
        self.said = True
        free, there = ray.available_resources(), ray.cluster_resources()
        parts = [f"{free.get(key, 0.0):g} of {there.get(key, 0.0):g} {key}s" for key in self.wanted]
        self.waiting(f"others use the cluster, or its nodes are not ready or were lost: {' and '.join(parts)} free")

    def left(self) -> None:
        """A trial runs."""
        if self.said:
            self.waiting("")
        self.since, self.said = time.monotonic(), False


class _Until(tune.Stopper):  # type: ignore[misc]
    """Ends the search at its deadline or on Ctrl-C."""

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()  # see `_Source`

    def __init__(self, deadline: float, interrupted: Callable[[], bool], queue: _Queue) -> None:
        self.deadline = deadline
        self.interrupted = interrupted
        self.queue = queue

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        self.queue.look()
        return self.interrupted() or bool(self.deadline and time.time() > self.deadline)
