"""One trial, from a `TrialSpec` and nothing else. Knows no scheduler: whoever runs it calls `step` until `done`."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from autoft import artifact, course, headstart, registry, scoring, shelf
from autoft.abilities import Inheriting, Placed
from autoft.bank import Bank
from autoft.contracts import Arrays, Backend, EpochStats, Learner, Reschedulable, Resumable, Task
from autoft.counted import counted
from autoft.datarecords import EVERYTHING
from autoft.errors import TrialFailed
from autoft.prefix import LATE, Prefix, Shares
from autoft.records import EpochReport, Fold, Job, TrialSpec
from autoft.trialdata import Part, feed_of, open_data, weighted
from autoft.until import Until
from autoft.version import API_VERSION

STATE = "trial.json"
SOLVING = 0.15
"""Part of the time of a head that is solved, kept for the solution and for validating it."""
ENOUGH = 1000
"""Rows of the validation parts from which on these say which of some solved heads is best, without cross-validation,
which takes several solutions for each head."""
FORWARD = 0.35
"""What a validated sample takes, as a part of what a trained one does, before the first validation."""
STEADY = 8
"""Steps after which the first ones, in which a framework plans, weigh little."""
TIMED = 2
"""Epochs by whose time the number of epochs is planned: the first one can take twice as long as the others."""


class _State(NamedTuple):
    """Where a paused trial stands, beside its learners."""

    trial: int
    epoch: int
    planned: int
    seconds: float
    since: int
    """The first epoch with the best score."""


class Trial:
    """Trains one configuration epoch by epoch and keeps the model of its best epoch in `spec.folder`.

    With several folds, one learner per fold trains in step and the score is the mean; the model kept is
    that of the first fold.
    """

    def __init__(self, spec: TrialSpec) -> None:
        self.spec = spec
        self.started = time.time()
        refuse_other_versions(spec)
        plugins = registry.installed()
        self.task: Task = plugins.get("task", spec.task)
        self.backend: Backend = plugins.get("backend", spec.backend)
        self.card = shelf.with_weights(spec.card)
        self.decoding = open_data(spec.data).store.decoding
        self.parts = [self._part(fold) for fold in open_data(spec.data).splits.division(spec.division)]
        self.val_seconds, self.resample_seconds = 0.0, 0.0
        self._looks, self._since = 0, 0.0
        """Training steps of the first epoch, and when it began."""
        shares = [Shares(part.learner, part.train, part.val) for part in self.parts]
        self.build_seconds, self.traced_seconds = time.time() - self.started, 0.0
        if spec.start:  # what frozen blocks give is kept for the network's own weights
            spec = msgspec.structs.replace(spec, caching=None)
        self.prefix = Prefix(
            spec, self.parts[0].job, shares, versions(self.backend), self._out_of_time, self._soon_out_of_time
        )
        self.prefix_seconds = time.time() - self.started - self.build_seconds
        self.epochs = spec.recipe.epochs
        self.epoch = 0
        self.best_epoch = 0
        self.best_score = math.nan
        self.since = 0
        """The first epoch with that score, from which patience counts."""
        self.schema = spec.schema
        """As calibrated on the validation part of the first fold, by the task's own means."""
        self.taken_up = 0
        """Epoch at which the weights of another trial were taken up; patience counts from there."""
        self._earlier = 0.0
        """Seconds of the epochs by which the number of epochs was planned."""
        self._told = ""
        """What was said of the prefix last."""
        self._cross: tuple[float, int] | None = None
        """The score by cross-validation and its rows, where nothing but a head is solved."""

    def again(self, spec: TrialSpec) -> Trial | None:
        """The trial of `spec`, made from this one without building its networks anew, if only the head will differ.

        This one must not be used any more. None where more than the solution of a head differs.
        """
        if self.spec.recipe.optimizer != "solve" or _but_head(spec) != _but_head(self.spec):
            return None
        other = copy.copy(self)
        other.spec, other.started, other.build_seconds, other.prefix_seconds = spec, time.time(), 0.0, 0.0
        other.parts = [p._replace(job=msgspec.structs.replace(p.job, recipe=spec.recipe)) for p in self.parts]
        other.epoch, other.best_epoch, other.best_score, other.since, other.resample_seconds = 0, 0, math.nan, 0, 0.0
        other.prefix = self.prefix.again(spec, other._out_of_time)
        return other

    def together(self, specs: Sequence[TrialSpec]) -> Bank | str:
        """The trials of `specs`, heads alone of this one's network, trained side by side; or why they cannot be.

        Nothing may have been trained here yet. When it gives a bank, this trial must not be used any more.
        """
        return Bank.of(specs, self.task, self.parts, self.prefix, self.decoding, self.started)

    def step(self) -> EpochReport:
        """One epoch of training and validation.

        Raises:
            TrialFailed: the loss or the score is not a finite number.
        """
        self.epoch += 1
        solved = self._start_heads() if self.epoch == 1 else []
        began_epoch = self._since = time.time()
        self._looks = 0
        if self.spec.recipe.optimizer == "solve":
            stats = [EpochStats(loss, 1, True) for loss in solved]
        else:
            stats = [self._train(number) for number in range(len(self.parts))]
        if self.epoch == 1 and not all(s.steps for s in stats):
            raise TrialFailed(LATE)
        traced = sum(s.tracing for s in stats)
        if self.epoch == 1:
            self.build_seconds, self.traced_seconds = self.build_seconds + traced, traced
        began = time.time()
        metrics = scoring.mean([self._validate(number) for number in range(len(self.parts))])
        self.val_seconds = time.time() - began
        score, loss = counted(self.spec.metric, metrics), float(np.mean([s.loss for s in stats]))
        course.check(self.spec.metric, self.epoch, metrics[self.spec.metric.name], loss)
        if course.better(self.spec.metric, score, self.best_score):
            self.since = self.epoch
        if course.leading(self.spec.metric, score, self.best_score):
            self.best_score, self.best_epoch = score, self.epoch
            if self.spec.division != EVERYTHING:  # what it scores there says nothing of which epoch is best
                self.keep(score)
        complete = all(s.complete for s in stats)
        if self.epoch <= TIMED:
            self._earlier += traced
            self._fit_to_allowance(time.time() - began_epoch - traced)
        return EpochReport(
            epoch=self.epoch,
            score=score,
            metrics={name: value for name, value in metrics.items() if math.isfinite(value)},
            train_loss=loss,
            seconds=time.time() - self.started,
            complete=complete,
            planned=self.epochs if self.epochs != self.spec.recipe.epochs else 0,
            done=self._done(complete),
            build_seconds=self.build_seconds,
            traced_seconds=self.traced_seconds,
            prefix_seconds=self.prefix_seconds,
            val_seconds=max(self.val_seconds, self.prefix.row_seconds * sum(len(part.val) for part in self.parts)),
            resample_seconds=self.resample_seconds,
            prefix=self._news(),
            said="; ".join(dict.fromkeys(s.said for s in stats if s.said)),
            gpu_missed=self.epoch == 1 and bool(self.spec.resources.gpus) and not _on_gpu(self.parts[0].learner),
            combined=self._combined(score),
        )

    def keep(self, score: float | None) -> None:
        """Write the model as it is now, that of the first fold, to `spec.folder`."""
        spec, part = msgspec.structs.replace(self.spec, schema=self.schema), self.parts[0]
        shelf.save(spec.folder, part.learner, artifact.config_of(spec, part.job, self.decoding, self.epoch, score))

    def save_state(self, folder: Path) -> None:
        """Keep everything needed to go on later, for schedulers that pause trials."""
        for number, part in enumerate(self.parts):
            if not isinstance(part.learner, Resumable):
                raise TrialFailed(
                    f"the backend '{self.spec.backend}' cannot pause trials: its learners are not Resumable."
                )
            place = folder / f"fold{number}"
            place.mkdir(parents=True, exist_ok=True)
            part.learner.save_state(place)
        state = _State(self.spec.number, self.epoch, self.epochs, time.time() - self.started, self.since)
        (folder / STATE).write_bytes(msgspec.json.encode(state))

    def load_state(self, folder: Path) -> None:
        """Take up what `save_state` kept; the recipe may differ from the one it was kept with."""
        for number, part in enumerate(self.parts):
            if isinstance(part.learner, Resumable):
                part.learner.load_state(folder / f"fold{number}")
        self.prefix.verify()  # a trial that froze fewer blocks may have trained those that are frozen here
        state = msgspec.json.decode((folder / STATE).read_bytes(), type=_State)
        self.epoch = state.epoch
        self.started -= state.seconds
        self.taken_up = state.epoch if state.trial != self.spec.number else 0
        if state.planned < self.epochs:
            self._plan(state.planned)
        # What counts as best is the model in this trial's own folder: the state may be another trial's, or older.
        kept = shelf.kept(self.spec.folder)
        if kept:
            self.best_epoch, self.best_score = kept.epoch, math.nan if kept.score is None else kept.score
            own = state.trial == self.spec.number and kept.epoch <= state.epoch
            self.since = state.since if own else kept.epoch

    def _part(self, fold: Fold) -> Part:
        spec = self.spec
        train, _ = feed_of(spec.data, fold.train, self.task, spec.schema, spec.problem, self.card.modality)
        val, val_targets = feed_of(spec.data, fold.val, self.task, spec.schema, spec.problem, self.card.modality)
        job = Job(
            card=self.card,
            problem=weighted(spec.problem, train, spec.recipe.class_weights == "balanced"),
            recipe=spec.recipe,
            image_size=image_size(spec, self.decoding.size),
            seed=spec.seed,
            resources=spec.resources,
            steps_per_epoch=max(1, math.ceil(len(train) / spec.recipe.batch_size)),
        )
        return Part(self._learner(job), job, train, val, val_targets)

    def _learner(self, job: Job) -> Learner:
        """Ready for epoch 1.

        Raises:
            TrialFailed: the model to begin with is not there, or has seen what this trial validates on.
        """
        learner = self.backend.build(job)
        if not self.spec.start:
            return learner
        if not isinstance(learner, Inheriting):
            raise TrialFailed(f"the learners of '{self.spec.backend}' cannot begin with the model of another trial.")
        if self.spec.division > 0 or len(open_data(self.spec.data).splits.folds) > 1:
            raise TrialFailed("a trial with folds of its own cannot begin with the model of another one.")
        with shelf.at_hand(self.spec.start) as folder:
            if not folder.is_dir():
                raise TrialFailed(f"the model to begin with must be kept, but there is none at {folder}.")
            learner.inherit(folder)
        return learner

    def _start_heads(self) -> list[float]:
        """Solve each fold's heads on its training part alone, if the recipe says so; gives their losses there."""
        recipe = self.spec.recipe
        if recipe.head_init == "random":
            return []
        rows, features = self.prefix.features()
        if recipe.optimizer == "solve" and self._out_of_time():  # others of the same piece of work came before
            raise TrialFailed(LATE)
        there = [np.isin(part.train.rows, rows) for part in self.parts]
        own = [features[np.searchsorted(rows, p.train.rows[known])] for p, known in zip(self.parts, there, strict=True)]
        truth = [
            {key: values[known] for key, values in part.train.targets.items()}
            for part, known in zip(self.parts, there, strict=True)
        ]
        if recipe.optimizer == "solve" and sum(len(part.val) for part in self.parts) < ENOUGH:
            problem = self.parts[0].job.problem
            found = headstart.cross_score(recipe, problem, own[0], truth[0], self._judge)
            self._cross = None if found is None else (found, len(own[0]))
        return [
            headstart.start(part.learner, recipe, part.job.problem, values, targets)
            for part, values, targets in zip(self.parts, own, truth, strict=True)
        ]

    def _train(self, number: int) -> EpochStats:
        part = self.parts[number]
        stop = Until(self._out_of_time, self._left)
        return part.learner.train_epoch(self.prefix.train(number, self.epoch), self.epoch, stop)

    def _validate(self, number: int) -> dict[str, float]:
        """Scores on the validation part of a fold."""
        spec, part = self.spec, self.parts[number]
        if scoring.is_dense(spec.problem):  # never from a cut, so these rows know their truth
            decoded, truth = scoring.compared(self.task, part.learner, part.val, spec.schema, spec.problem)
        else:
            outputs = part.learner.predict(self.prefix.val(number))
            decoded, truth = dict(self.task.decode(outputs, spec.schema, spec.problem)), dict(part.val_targets)
        settled = number or spec.division == EVERYTHING  # by rows that were not learned from
        found = scoring.worth(self.task, decoded, truth, spec, self.schema if settled else None)
        self.schema = found.schema
        if self.epoch == 1:
            self.resample_seconds += scoring.resample_seconds(self.task, found.settled, truth, spec)
        return found.metrics

    def _combined(self, score: float) -> float | None:
        if self._cross is None:
            return None
        (cross, rows), others = self._cross, sum(len(part.val) for part in self.parts)
        return (cross * rows + score * others) / (rows + others)

    def _judge(self, outputs: Arrays, targets: Arrays) -> float:
        return counted(self.spec.metric, scoring.judged(self.task, outputs, targets, self.spec).metrics)

    def _news(self) -> str:
        """What is to be said of the prefix, once."""
        known, self._told = self._told, self.prefix.words
        return self.prefix.words if self.prefix.words != known else ""

    def _out_of_time(self) -> bool:
        """Learners ask before each step. Validation comes after training, so its time is kept back."""
        if not self.spec.deadline:
            return False
        now = time.time()
        validation = self.val_seconds
        if self._since and self.epoch == 1 and not validation:
            if self._looks >= STEADY:
                trained = self._looks * self.spec.recipe.batch_size
                validation = FORWARD * (now - self._since) / trained * sum(len(part.val) for part in self.parts)
            self._looks += 1
        return now + validation >= self.spec.deadline

    def _left(self) -> float:
        """Seconds. Whoever plans by them has taken no step yet. The last training does what the search did before it:
        there is nothing to plan."""
        self._since, self._looks = time.time(), 0
        if not self.spec.deadline or self.spec.division == EVERYTHING:
            return math.inf
        return self.spec.deadline - self.val_seconds - time.time()

    def _soon_out_of_time(self) -> bool:
        left = self.spec.deadline - self.started
        return bool(self.spec.deadline) and time.time() >= self.started + (1 - SOLVING) * left

    def _fit_to_allowance(self, epoch_seconds: float) -> None:
        """Plan fewer epochs where those of the recipe would take too long, so that the schedule comes to its end."""
        if not self.spec.allowance:
            return
        left = self.spec.allowance - self._earlier
        fitting = course.fitting(left, epoch_seconds, self.epoch - 1)
        self._earlier += epoch_seconds
        if (planned := min(fitting, self.spec.recipe.epochs)) != self.epochs:
            self._plan(planned)

    def _plan(self, epochs: int) -> None:
        for part in self.parts:
            if isinstance(part.learner, Reschedulable):
                part.learner.set_epochs(epochs)
        self.epochs = epochs

    def _done(self, complete: bool) -> str:
        recipe = self.spec.recipe
        if recipe.optimizer == "solve":
            return "the head is solved"
        late = not complete or self._out_of_time()
        return course.ended(recipe, self.epoch, self.epochs, max(self.since, self.taken_up), late)


def _on_gpu(learner: Learner) -> bool:
    """Whether it computes on a GPU, or does not say."""
    return not isinstance(learner, Placed) or learner.on_gpu()


def _but_head(spec: TrialSpec) -> TrialSpec:
    recipe = msgspec.structs.replace(spec.recipe, head_init="ridge", head_strength=1.0)
    return msgspec.structs.replace(spec, number=0, folder="", deadline=0.0, allowance=0.0, recipe=recipe)


def image_size(spec: TrialSpec, decode_size: int) -> int:
    """Side that the network sees: the recipe's, or what the store holds where the recipe leaves it open."""
    if spec.card.modality != "image":
        return 0
    return spec.recipe.image_size or (spec.card.input_size if spec.card.fixed_size else decode_size)


def versions(backend: Backend) -> dict[str, str]:
    """Versions of what decides the outcome of this backend's trials."""
    found = {name: _version(name) for name in ("autoft", *backend.distributions)}
    return {name: installed for name, installed in found.items() if installed}


def _version(name: str) -> str:
    """Empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def refuse_other_versions(spec: TrialSpec) -> None:
    """
    Raises:
        TrialFailed: the trial was made where other versions are installed.
    """
    if spec.api != API_VERSION:
        raise TrialFailed(f"the trial was made for autoft API {spec.api}, but this worker has {API_VERSION}.")
    for name, wanted in spec.versions.items():
        found = _version(name)
        if found.partition("+")[0] != wanted.partition("+")[0]:  # behind it stands for which GPU, or none, it was built
            raise TrialFailed(
                f"the driver has {name} {wanted}, but this worker has {found or 'none'}.",
                "Install the same versions on all nodes.",
            )
