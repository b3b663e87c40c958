"""Runs trials on Ray Tune. The only file of autoft that names Ray.

Trials are a class trainable with reused actors: starting an actor costs a second and importing a framework
several, so one actor runs many trials (measured: 1.0 to 1.6 s per trial for a function trainable, 0.03 to
0.07 s for this). Ray is given names and numbers only; data reach the workers through the memory-mapped store.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
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
    EpochReport,
    Param,
    TrialSpec,
    from_json,
    to_json,
)
from autoft.search.ledger import Ledger
from autoft.search.outcome import Failure, failure_of, leads, spec_of_config, within
from autoft.search.process import for_workers, imported, interruptible, memory_mb
from autoft.search.settings import Cluster, Observer, Settings, answers, check_scheduler, mutable

RECYCLE_MB = 3000
"""An actor whose memory has grown by this much since its first trial makes room for a fresh one."""
WORST = 1e30
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
    except ray.exceptions.GetTimeoutError as error:
        for one in pending:
            ray.cancel(one, force=True)
        raise TimeoutError(f"{function} took longer than {timeout:.0f} s") from error
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, Exception) else error from None
    except ray.exceptions.RayError as error:
        raise TrialFailed(f"the process of {function} died.", "It may have run out of memory.") from error


def _call(function: str, arguments: tuple[Any, ...]) -> Any:
    return imported(function)(*arguments)


def run(
    settings: Settings,
    searcher: Searcher,
    spec_of: Callable[[int, dict[str, Any]], TrialSpec | None],
    observer: Observer,
) -> bool:
    """Run trials until there is nothing left to try, the deadline has come, or Ctrl-C was pressed.

    `spec_of` makes a trial of what the searcher proposes, or None when no more trials should start.
    Returns whether the user interrupted.
    """
    ledger = Ledger(observer, searcher)
    proposals = _Proposals(settings, searcher, spec_of, ledger)
    population = settings.scheduler == "pbt"  # a fixed set of trials that train side by side
    with interruptible() as interrupted:
        tuner = tune.Tuner(
            tune.with_resources(_Actor, {"cpu": settings.cpus, "gpu": settings.gpus}),
            param_space=proposals.all_at_once(settings.trials or POPULATION) if population else None,
            tune_config=tune.TuneConfig(
                metric="score",
                mode=settings.metric.mode,
                search_alg=None if population else proposals,
                scheduler=_scheduler(settings),
                num_samples=1 if population else settings.trials or -1,
                max_concurrent_trials=settings.concurrency or None,
                reuse_actors=True,
                trial_name_creator=lambda trial: str(trial.config["trial"]["number"]),
                trial_dirname_creator=str,
            ),
            run_config=tune.RunConfig(
                name="tune",
                storage_path=settings.folder,
                verbose=0,
                callbacks=[_Watch(settings, ledger)],
                stop=_Until(settings.deadline, interrupted),
                # Errors of a trial itself are reported, not raised, so what reaches Ray is a lost actor: try again.
                failure_config=tune.FailureConfig(max_failures=1),
                checkpoint_config=tune.CheckpointConfig(num_to_keep=4 if population else 1, checkpoint_at_end=False),
            ),
        )
        tuner.fit()
    ledger.end_the_rest("interrupted" if interrupted() else "out of time")
    return interrupted()


class _Actor(tune.Trainable):  # type: ignore[misc]
    """Runs one trial after another in one process."""

    trial: Any
    last_score: float | None
    first_memory: float
    tainted: bool
    worn: bool

    def setup(self, config: dict[str, Any]) -> None:
        self.first_memory = 0.0
        self.tainted = False
        self.worn = False
        self._begin(config)

    def step(self) -> dict[str, Any]:
        if self.worn:
            ray.actor.exit_actor()  # Ray takes the loss of a running trial's actor as a reason to start it anew
        try:
            if self.trial is None:
                self.trial = self._make()
            report: EpochReport = self.trial.step()
        except Exception as error:
            # A failure of one configuration ends that trial only. What is left in this process may be broken, so
            # the next trial gets a fresh one, unless the trial itself said that it cannot go on.
            self.tainted = not isinstance(error, TrialFailed)
            # Some of Ray's schedulers cannot do without a number here. It goes no further than them.
            return {"score": self._stand_in(), "failure": to_json(failure_of(error)), "done": True}
        self.last_score = report.score
        return {"score": report.score, "report": to_json(report), "done": bool(report.done)}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.trial = None
        self.first_memory = self.first_memory or memory_mb()
        self.worn = self.tainted or memory_mb() - self.first_memory > RECYCLE_MB
        self._begin(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        if self.trial is not None:
            self.trial.save_state(Path(checkpoint_dir))

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        self.trial = self._make()
        self.trial.load_state(Path(checkpoint_dir))

    def cleanup(self) -> None:
        self.trial = None

    def _begin(self, config: dict[str, Any]) -> None:
        self.trial = None
        self.config = config
        self.last_score = None

    def _stand_in(self) -> float:
        mode = spec_of_config(self.config, 0).metric.mode
        worst = -WORST if mode == "max" else WORST
        return worst if self.last_score is None else self.last_score

    def _make(self) -> Any:
        return imported(self.config["trial"]["target"])(spec_of_config(self.config, int(self.trial_name)))


def _number(trial: Any) -> int:
    """Ours, of one of Ray's trials. Not read from its configuration: see `spec_of_config`."""
    return int(str(trial))


class _Proposals(RaySearcher):  # type: ignore[misc]
    """Our ask-and-tell searchers in Ray's clothes."""

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()  # Ray pickles its configuration; what listens and proposes stays in this process

    def __init__(
        self,
        settings: Settings,
        searcher: Searcher,
        spec_of: Callable[[int, dict[str, Any]], TrialSpec | None],
        ledger: Ledger,
    ) -> None:
        super().__init__(metric="score", mode=settings.metric.mode)
        self.settings = settings
        self.strategy = searcher  # not `searcher`: Ray follows an attribute of that name
        self.spec_of = spec_of
        self.ledger = ledger
        self.asked = 0
        self.mutable = tuple(_mutations(settings.space)) if settings.scheduler == "pbt" else ()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        config = self._next()
        return str(self.FINISHED) if config is None else config

    def all_at_once(self, count: int) -> dict[str, Any]:
        """A parameter space with `count` proposals, for schedulers that take no searcher."""
        configs = [config for config in (self._next() for _ in range(count)) if config is not None]
        return {
            "trial": tune.grid_search([config["trial"] for config in configs]),
            "params": tune.sample_from(
                lambda spec: next(
                    c["params"] for c in configs if c["trial"]["number"] == spec.config["trial"]["number"]
                )
            ),
        }

    def _next(self) -> dict[str, Any] | None:
        params = self.strategy.ask(self.asked)
        spec = None if params is None else self.spec_of(self.asked, params)
        if params is None or spec is None:
            return None
        self.ledger.specs[self.asked] = spec
        self.asked += 1
        values = spec.recipe.flat()
        mutable = {key: values[key] for key in self.mutable}
        return {
            "trial": {"number": spec.number, "spec": to_json(spec), "target": self.settings.target},
            "params": mutable,
        }

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None: ...

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None: ...

    # Ray's own record of the search is never restored: `trials.jsonl` is the source of truth.
    def get_state(self) -> dict[str, Any]:
        return {}

    def set_state(self, state: dict[str, Any]) -> None: ...

    def save(self, checkpoint_path: str) -> None: ...

    def restore(self, checkpoint_path: str) -> None: ...


class _Watch(tune.Callback):  # type: ignore[misc]
    """Turns Ray's events into ours."""

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()  # Ray pickles its configuration; what listens and proposes stays in this process

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self.ledger = ledger

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.ledger.begin(_number(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        number = _number(trial)
        if "report" not in result:
            return
        report = from_json(result["report"], EpochReport)
        if self.settings.scheduler == "pbt" and leads(report, self.ledger.reports[number], self.settings.metric):
            # Not the trial's configuration: that may be the next one by now.
            self.ledger.specs[number] = spec_of_config(result["config"], number)
        self.ledger.report(number, report)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        number = _number(trial)
        failure = (trial.last_result or {}).get("failure")
        if failure:
            told = from_json(failure, Failure)
            self.ledger.end(number, "failed", told.reason, told.traceback)
            return
        reports = self.ledger.reports.get(number, [])
        done = reports[-1].done if reports else ""
        self.ledger.end(number, "finished" if done else "stopped", done or f"stopped by {self.settings.scheduler}")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        error = trial.get_error()
        text = str(error) if error else "the worker process died"
        self.ledger.end(_number(trial), "failed", text.strip().splitlines()[-1], text)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        if not trial.has_checkpoint():
            self.ledger.begin_again(_number(trial))


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
