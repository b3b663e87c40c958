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

from autoft import artifact, course, folds, headstart, measured, registry, scoring, shelf
from autoft.abilities import Choosing, Inheriting, Placed, Settling
from autoft.bank import Bank
from autoft.contracts import Backend, EpochStats, Learner, Reschedulable, Resumable, Task
from autoft.counted import FEW, counted, finer, selection_score, told
from autoft.datarecords import EVERYTHING
from autoft.errors import TrialFailed
from autoft.pace import Pace
from autoft.prefix import LATE, Prefix, Shares
from autoft.records import EpochReport, Fold, Job, TrialSpec
from autoft.trialdata import Part, feed_of, learned, open_data, weighted
from autoft.until import Until
from autoft.version import API_VERSION

STATE = "trial.json"
SOLVING = 0.15
"""Part of the time of a head that is solved, kept for the solution and for validating it."""


class _State(NamedTuple):
    """Where a paused trial stands, beside its learners."""

    trial: int
    epoch: int
    planned: float
    seconds: float
    since: int
    """The first epoch with the best score."""


class Trial:
    """Trains one configuration epoch by epoch and keeps the model of its best epoch in `spec.folder`.

    With several folds, one learner per fold trains in step, and the score is that of all folds (`folds.py`); the model
    kept is that of the first one.
    """

    def __init__(self, spec: TrialSpec) -> None:
        self.spec = spec
        self.started, before = time.time(), measured.taken()
        refuse_other_versions(spec)
        plugins = registry.installed()
        self.task: Task = plugins.get("task", spec.task)
        self.backend: Backend = plugins.get("backend", spec.backend)
        self.card = shelf.with_weights(spec.card)
        self.decoding = open_data(spec.data).store.decoding
        self._precision = ""
        """What the learner has chosen to compute in, if it has."""
        self.parts = [self._part(fold) for fold in open_data(spec.data).splits.division(spec.division, spec.scored)]
        self.pace = self._pace()
        self.resample_seconds = 0.0
        shares = [Shares(part.learner, part.train, part.val) for part in self.parts]
        self.started += measured.taken() - before  # processes that come later need none of it
        self.build_seconds, self.traced_seconds = time.time() - self.started, 0.0
        spec = self.spec
        if spec.start:  # what frozen blocks give is kept for the network's own weights
            spec = msgspec.structs.replace(spec, caching=None)
        self.prefix = Prefix(
            spec, self.parts[0].job, shares, versions(self.backend), self.pace.over, self._soon_out_of_time
        )
        self.prefix_seconds = time.time() - self.started - self.build_seconds
        self.epoch = 0
        self.best_epoch = 0
        self.best_score = math.nan
        self.since = 0
        """The first epoch with that score, from which patience counts."""
        self.schema = self.parts[0].schema
        """As calibrated on validation, by the task's own means."""
        self.taken_up = 0
        """Epoch at which the weights of another trial were taken up; patience counts from there."""
        self._told = ""
        """What was said of the prefix last."""
        self._left_out: scoring.Answers | None = None
        """What is said of training rows without them, and their targets, where nothing but a head is solved."""

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
        other.pace = other._pace()
        other.prefix = self.prefix.again(spec, other.pace.over)
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
        before = time.time()
        solved = self._start_heads() if self.epoch == 1 else []
        began_epoch = time.time()
        if self.epoch == 1 and self.spec.recipe.optimizer != "solve":
            self.prefix_seconds += began_epoch - before  # no further epoch has this
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
        metrics = self._validate()
        self.pace.val_seconds = time.time() - began
        score, loss = counted(self.spec.metric, metrics), float(np.mean([s.loss for s in stats]))
        course.check(self.spec.metric, self.epoch, metrics[self.spec.metric.name], loss)
        if course.better(self.spec.metric, score, self.best_score):
            self.since = self.epoch
        if course.leading(self.spec.metric, score, self.best_score):
            self.best_score, self.best_epoch = score, self.epoch
            if self.spec.division != EVERYTHING:  # what it scores there says nothing of which epoch is best
                self.keep(score)
        combined, beside = self._held_back(score, finer(self.spec.metric, metrics))
        complete = all(s.complete for s in stats)
        if complete and self.spec.recipe.optimizer != "solve":
            self.pace.ended(time.time() - began_epoch - traced, traced)
        return EpochReport(
            epoch=self.epoch,
            score=score,
            metrics=told(self.spec.metric, metrics),
            train_loss=loss,
            seconds=time.time() - self.started,
            complete=complete,
            planned=math.ceil(self.pace.epochs) if self.pace.epochs != self.spec.recipe.epochs else 0,
            done=self._done(complete),
            build_seconds=self.build_seconds,
            traced_seconds=self.traced_seconds,
            prefix_seconds=self.prefix_seconds,
            val_seconds=max(self.pace.val_seconds, self.prefix.row_seconds * sum(len(part.val) for part in self.parts)),
            resample_seconds=self.resample_seconds,
            prefix=self._news(),
            said="; ".join(dict.fromkeys(word for word in (*(s.said for s in stats), self.pace.cut(complete)) if word)),
            gpu_missed=self.epoch == 1 and bool(self.spec.resources.gpus) and not _on_gpu(self.parts[0].learner),
            combined=combined,
            finer=beside,
            precision=self._precision,
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
        state = _State(self.spec.number, self.epoch, self.pace.epochs, time.time() - self.started, self.since)
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
        if state.planned < self.pace.epochs:
            self.pace.take(state.planned)
        # What counts as best is the model in this trial's own folder: the state may be another trial's, or older.
        kept = shelf.kept(self.spec.folder)
        if kept:
            self.best_epoch, self.best_score = kept.epoch, math.nan if kept.score is None else kept.score
            own = state.trial == self.spec.number and kept.epoch <= state.epoch
            self.since = state.since if own else kept.epoch

    def _part(self, fold: Fold) -> Part:
        spec = self.spec
        train, targets = feed_of(spec.data, fold.train, self.task, spec.schema, spec.problem, self.card.modality)
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
        schema = learned(self.task, targets, spec.schema)
        learner = self._learner(job)
        self._take_precision(learner)
        job = msgspec.structs.replace(job, recipe=self.spec.recipe)
        return Part(learner, job, train, val, val_targets, schema)

    def _take_precision(self, learner: Learner) -> None:
        """What the learner has chosen holds for all folds, for what is kept of frozen blocks, and for the model."""
        found = learner.precision_chosen() if isinstance(learner, Choosing) else ""
        if found:
            self._precision = found
            recipe = msgspec.structs.replace(self.spec.recipe, precision=found)
            self.spec = msgspec.structs.replace(self.spec, recipe=recipe)

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
        if recipe.optimizer == "solve" and self.pace.over():  # others of the same piece of work came before
            raise TrialFailed(LATE)
        there = [np.isin(part.train.rows, rows) for part in self.parts]
        own = [features[np.searchsorted(rows, p.train.rows[known])] for p, known in zip(self.parts, there, strict=True)]
        truth = [
            {key: values[known] for key, values in part.train.targets.items()}
            for part, known in zip(self.parts, there, strict=True)
        ]
        if recipe.optimizer == "solve" and sum(len(part.val) for part in self.parts) < FEW:
            outputs = headstart.left_out(recipe, self.parts[0].job.problem, own[0], truth[0])
            decoded = self.task.decode(outputs, self.spec.schema, self.spec.problem) if outputs else None
            self._left_out = scoring.Answers(dict(decoded), truth[0]) if decoded else None
        return [
            headstart.start(part.learner, recipe, part.job.problem, values, targets)
            for part, values, targets in zip(self.parts, own, truth, strict=True)
        ]

    def _train(self, number: int) -> EpochStats:
        part = self.parts[number]
        self.pace.begin(self.epoch, number)
        stop = Until(self.pace.stop, self.pace.left, self.pace.late)
        return part.learner.train_epoch(self.prefix.train(number, self.epoch), self.epoch, stop)

    def _validate(self) -> dict[str, float]:
        """Scores on the validation parts of all folds."""
        answers = (self._answers(number) for number in range(len(self.parts)))
        settled = self.schema if self.spec.division == EVERYTHING else None  # by rows that were not learned from
        spec = msgspec.structs.replace(self.spec, schema=self.parts[0].schema)
        found = folds.judged(self.task, answers, spec, settled, more=self._left_out, timed=self.epoch == 1)
        self.schema = found.schema
        self.resample_seconds += found.resample_seconds
        return found.metrics

    def _answers(self, number: int) -> scoring.Answers:
        """Decoded predictions for the validation part of a fold, and their targets."""
        part, problem = self.parts[number], self.spec.problem
        if scoring.is_dense(problem):  # never from a cut, so these rows know their truth
            return scoring.Answers(*scoring.compared(self.task, part.learner, part.val, part.schema, problem))
        outputs = part.learner.predict(self.prefix.val(number))
        return scoring.Answers(dict(self.task.decode(outputs, part.schema, problem)), dict(part.val_targets))

    def _held_back(self, score: float, beside: float | None) -> tuple[float | None, float | None]:
        """`EpochReport.combined` and `finer`: of a solved head means with what cross-validation on training rows says,
        by rows."""
        if self._left_out is None:
            return None, beside
        found = folds.judged(self.task, [self._left_out], self.spec)
        cross, sure = counted(self.spec.metric, found.metrics), finer(self.spec.metric, found.metrics)
        rows = len(next(iter(self._left_out.truth.values())))
        share = rows / (rows + sum(len(part.val) for part in self.parts))
        combined = share * cross + (1 - share) * score if math.isfinite(cross) else None
        if beside is not None and sure is not None:
            beside = selection_score(beside, share * sure + (1 - share) * beside, self.spec.metric.mode)
        return combined, beside

    def _news(self) -> str:
        """What is to be said of the prefix, once."""
        known, self._told = self._told, self.prefix.words
        return self.prefix.words if self.prefix.words != known else ""

    def _soon_out_of_time(self) -> bool:
        left = self.spec.deadline - self.started
        return bool(self.spec.deadline) and time.time() >= self.started + (1 - SOLVING) * left

    def _pace(self) -> Pace:
        steps, rows = [part.job.steps_per_epoch for part in self.parts], sum(len(part.val) for part in self.parts)
        return Pace(self.spec, steps, rows, self._plan, self._settles)

    def _settles(self) -> bool:
        learner = self.parts[0].learner
        return isinstance(learner, Settling) and learner.settles()

    def _plan(self, epochs: float) -> None:
        for part in self.parts:
            if isinstance(part.learner, Reschedulable):
                part.learner.set_epochs(epochs)

    def _done(self, complete: bool) -> str:
        recipe = self.spec.recipe
        if recipe.optimizer == "solve":
            return "the head is solved"
        late = not complete or self.pace.over()
        return course.ended(recipe, self.epoch, self.pace.epochs, max(self.since, self.taken_up), late)


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
