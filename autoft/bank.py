"""Trials that train nothing but a linear head, side by side: one network, its features gathered once, and one product
per step for all heads (`headbank`).

Each stays a trial of its own, with its scores, its best epoch, its patience and the folder of its model. Its reports
are told when that model is on the disk: when it ends, or every few seconds while the bank goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import msgspec
import numpy as np

from autoft import artifact, course, folds, headstart, scoring, shelf
from autoft.abilities import stands_on
from autoft.contracts import Array, Cuttable, Learner, Task
from autoft.counted import counted, finer, told
from autoft.errors import TrialFailed
from autoft.headbank import HeadBank
from autoft.heads import Head
from autoft.heads.encode import finish
from autoft.prefix import LATE, Prefix
from autoft.records import Decoding, EpochReport, Output, TrialSpec
from autoft.trialdata import Part
from autoft.vocab import ACTIVATION

MOST = 1 << 30
"""Bytes of features that are held in memory."""
HOLD = 10.0
"""Seconds after which models of trials that still train are kept, and their reports told."""

News = tuple[int, EpochReport | TrialFailed]
"""The number of a trial, and what came of it: the last report of one that ended says why it did."""


class _Member:
    """One trial of the bank."""

    def __init__(self, spec: TrialSpec) -> None:
        self.spec = spec
        self.epochs = spec.recipe.epochs
        self.best_epoch, self.best_score, self.since = 0, math.nan, 0
        self.best: Head | None = None
        """Of its best epoch, where that is not on the disk yet."""
        self.schema = self.best_schema = spec.schema
        """With what the task has set on validation: in this epoch, and in the best one."""
        self.untold: list[EpochReport] = []
        self.seconds = 0.0
        """Its share of the time that the bank took."""


class Bank:
    """Trains the heads of several trials epoch by epoch: `step`, until every one of them has ended."""

    def __init__(
        self, specs: Sequence[TrialSpec], task: Task, parts: Sequence[Part], prefix: Prefix, decoding: Decoding
    ) -> None:
        self.lead, self.task, self.parts, self.prefix, self.decoding = specs[0], task, parts, prefix, decoding
        self.members = dict(enumerate(map(_Member, specs)))
        """Those that have not ended, by the number of their head in the banks."""
        self.output: Output = parts[0].job.problem.outputs[0]
        self.deadline = min((spec.deadline for spec in specs if spec.deadline), default=0.0)
        self.allowance = min((spec.allowance for spec in specs if spec.allowance), default=0.0)
        self.epoch, self.val_seconds = 0, 0.0
        self.built = self.marked = self.told = time.time()
        self.build_seconds = 0.0
        self._still: dict[int, Array] = {}
        """Features of each fold's training rows, where they are the same in every epoch."""
        self._val = [_whole(prefix.val(number), len(part.val)) for number, part in enumerate(parts)]
        self.banks: list[HeadBank] = []

    @classmethod
    def of(
        cls,
        specs: Sequence[TrialSpec],
        task: Task,
        parts: Sequence[Part],
        prefix: Prefix,
        decoding: Decoding,
        began: float,
    ) -> Bank | str:
        """The trials of `specs`, or why they cannot be trained side by side.

        Args:
            specs: alike but for what their heads are trained with (`search.banks`).
            parts: of a network whose head has not been trained.
            prefix: theirs.
            began: Unix time at which it began to be built.

        Raises:
            TrialFailed: time is over.
        """
        learner = parts[0].learner
        if (
            not isinstance(learner, Cuttable)
            or prefix.cut is None
            or prefix.cut != stands_on(learner, specs[0].recipe.pooling)
        ):
            return f"the heads' features are not kept: {prefix.words or 'nothing is shared'}"
        needed = 4 * math.prod(prefix.cut.shape) * sum(len(part.train) + len(part.val) for part in parts)
        if len(prefix.cut.shape) != 1 or needed > MOST:
            return f"{needed / 1e6:.0f} MB of features are more than are held in memory"
        starts = [_starts(specs, part, prefix) for part in parts]
        found = cls(specs, task, parts, prefix, decoding)
        for part, start in zip(parts, starts, strict=True):
            if start is None:
                return f"the head of {found.lead.card.name} cannot be read"
            recipes = [msgspec.structs.replace(one.recipe, lr=one.recipe.lr * one.card.pace) for one in specs]
            width, batch = prefix.cut.shape[0], found.lead.recipe.batch_size
            found.banks.append(HeadBank(recipes, part.job.problem.outputs[0], width, batch, found.lead.seed, start))
        found.marked, found.build_seconds = began, (time.time() - began) / len(specs)
        return found

    def step(self) -> list[News]:
        """One epoch of every trial that has not ended; gives what is to be told by now."""
        self.epoch += 1
        began = time.time()
        stats = [
            bank.train_epoch(self._train(number), part.train.targets[self.output.target], self.epoch, self._out_of_time)
            for number, (bank, part) in enumerate(zip(self.banks, self.parts, strict=True))
        ]
        if self.epoch == 1 and not all(s.steps for s in stats):
            return self._fail({number: TrialFailed(LATE) for number in self.members})
        losses = np.mean([s.losses for s in stats], axis=0)
        news = self._fail(
            {
                number: TrialFailed(f"the training loss must be finite, but it is {losses[number]}.", "Try a lower lr.")
                for number in self.members
                if not math.isfinite(losses[number])
            }
        )
        validating = time.time()
        scores = self._scores()
        self.val_seconds = time.time() - validating
        if self.epoch == 1 and self.allowance:
            self._fit(int(course.fitting(self.allowance, time.time() - began)))
        complete, share = all(s.complete for s in stats), self._share()
        for number, metrics in scores.items():
            try:
                self._report(number, metrics, float(losses[number]), complete, share)
            except TrialFailed as error:
                news += self._fail({number: error})
        return news + self._told()

    # ---- one epoch ------------------------------------------------------------------------------------------

    def _train(self, number: int) -> Array:
        """Features of a fold's training rows in this epoch."""
        if number in self._still:
            return self._still[number]
        rows = _whole(self.prefix.train(number, self.epoch), len(self.parts[number].train))
        if self.lead.recipe.augment == "none":
            self._still[number] = rows
        return rows

    def _scores(self) -> dict[int, dict[str, float]]:
        """The metrics of each trial on the validation parts of all folds."""
        answers = {number: list[scoring.Answers]() for number in self.members}
        for bank, part, rows in zip(self.banks, self.parts, self._val, strict=True):
            for number, raw in bank.each(rows):
                if number in self.members:
                    outputs = {self.output.name: finish(self.output.post, raw)}
                    decoded = self.task.decode(outputs, part.schema, self.lead.problem)
                    answers[number].append(scoring.Answers(dict(decoded), dict(part.val_targets)))
        spec = msgspec.structs.replace(self.lead, schema=self.parts[0].schema)
        found = {number: folds.judged(self.task, parts, spec) for number, parts in answers.items()}
        for number, one in found.items():
            self.members[number].schema = one.schema
        return {number: one.metrics for number, one in found.items()}

    def _report(self, number: int, metrics: dict[str, float], loss: float, complete: bool, share: float) -> None:
        """
        Raises:
            TrialFailed: the score is not a finite number.
        """
        member, metric, score = self.members[number], self.lead.metric, counted(self.lead.metric, metrics)
        course.check(metric, self.epoch, metrics[metric.name], loss)
        if course.better(metric, score, member.best_score):
            member.since = self.epoch
        if course.leading(metric, score, member.best_score):
            member.best_epoch, member.best_score = self.epoch, score
            member.best, member.best_schema = self.banks[0].head(number), member.schema
        late = not complete or self._out_of_time()
        member.seconds += share
        member.untold.append(
            EpochReport(
                epoch=self.epoch,
                score=score,
                metrics=told(metric, metrics),
                train_loss=loss,
                seconds=member.seconds,
                complete=complete,
                planned=member.epochs if member.epochs != member.spec.recipe.epochs else 0,
                done=course.ended(member.spec.recipe, self.epoch, member.epochs, member.since, late),
                build_seconds=self.build_seconds,
                val_seconds=self.val_seconds / len(self.banks[0]),
                prefix=self._words() if self.epoch == 1 else "",
                finer=finer(metric, metrics),
            )
        )

    def _words(self) -> str:
        others = len(self.banks[0]) - 1
        return f"{self.prefix.words}; trained side by side with {others} other heads"

    def _share(self) -> float:
        """Seconds since this was asked last, divided by the trials that used them."""
        before, self.marked = self.marked, time.time()
        return (self.marked - before) / max(1, len(self.members))

    def _fit(self, epochs: int) -> None:
        """Plan fewer epochs where those of the recipes would take too long, so that schedules come to their end."""
        for bank in self.banks:
            bank.plan(epochs)
        for member in self.members.values():
            member.epochs = min(member.epochs, epochs)

    def _out_of_time(self) -> bool:
        return bool(self.deadline) and time.time() + self.val_seconds >= self.deadline

    # ---- what is told, and kept -----------------------------------------------------------------------------

    def _told(self) -> list[News]:
        """Reports of trials whose models are on the disk."""
        due = time.time() - self.told >= HOLD
        if due:
            self.told = time.time()
        news: list[News] = []
        for number, member in list(self.members.items()):
            done = member.untold[-1].done
            if not (done or due):
                continue
            self._keep(member)
            news += [(member.spec.number, report) for report in member.untold]
            member.untold = []
            if done:
                self.members.pop(number)
        self._leave_out()
        return news

    def _keep(self, member: _Member) -> None:
        """Write the model of the best epoch, if it is not there yet."""
        if member.best is None:
            return
        part, spec = self.parts[0], member.spec
        assert isinstance(part.learner, Cuttable)
        part.learner.set_head({self.output.name: member.best})
        job = msgspec.structs.replace(part.job, recipe=spec.recipe)
        told = msgspec.structs.replace(spec, schema=member.best_schema)
        config = artifact.config_of(told, job, self.decoding, member.best_epoch, member.best_score)
        shelf.save(spec.folder, part.learner, config)
        member.best = None

    def _fail(self, failures: dict[int, TrialFailed]) -> list[News]:
        news: list[News] = []
        for number, error in failures.items():
            member = self.members.pop(number)
            news += [(member.spec.number, report) for report in member.untold]
            news.append((member.spec.number, error))
        self._leave_out()
        return news

    def _leave_out(self) -> None:
        """Heads of trials that have ended are trained no more."""
        for bank in self.banks:
            bank.keep(list(self.members))


def _whole(feed: object, count: int) -> Array:
    """All rows of a feed of activations, float32 (n, width)."""
    rows: Array = feed.batch(np.arange(count))[ACTIVATION]  # type: ignore[attr-defined]
    return rows.astype(np.float32, copy=False)


def _starts(specs: Sequence[TrialSpec], part: Part, prefix: Prefix) -> list[Head] | None:
    """What each head starts from on this fold, or None where the learner's own head cannot be read."""
    output, problem = part.job.problem.outputs[0], part.job.problem
    assert prefix.cut
    own = _head(part.learner, output, prefix.cut.shape[0])
    if own is None:
        return None
    if all(spec.recipe.head_init == "random" for spec in specs):
        return [own] * len(specs)
    rows, features = prefix.features()
    there = np.isin(part.train.rows, rows)
    features = features[np.searchsorted(rows, part.train.rows[there])]
    targets = {key: values[there] for key, values in part.train.targets.items()}
    return [
        own
        if spec.recipe.head_init == "random"
        else headstart.solved(spec.recipe, problem, features, targets)[output.name]
        for spec in specs
    ]


def _head(learner: Learner, output: Output, width: int) -> Head | None:
    """The learner's linear head as it is, told by its shapes and proved by handing it back; None where that fails."""
    assert isinstance(learner, Cuttable)
    before = learner.arrays()["head"]
    matrix = next((a for a in before.values() if a.shape in ((output.size, width), (width, output.size))), None)
    bias = next((a for a in before.values() if a.shape == (output.size,)), None)
    if len(before) != 2 or matrix is None or bias is None or width == output.size:
        return None
    head = Head(matrix if matrix.shape == (output.size, width) else matrix.T, bias)
    learner.set_head({output.name: head})
    same = all(np.array_equal(array, before[key]) for key, array in learner.arrays()["head"].items())
    return head if same else None
