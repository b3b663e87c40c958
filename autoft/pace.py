"""What a trial has time for: when it must stop, and how many epochs its schedule is planned for.

Where time is short, the first steps tell. A warm-up of a twentieth of twenty epochs is one epoch: a trial that has time
for one would train in nothing else, and a schedule shortened after it has lost it (docs/adr/0068-first-steps.md).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from autoft import course
from autoft.batches import batches_shown_again
from autoft.datarecords import EVERYTHING
from autoft.records import TrialSpec

FORWARD = 0.35
"""What a sample takes that is seen without gradients, as a part of what a trained one does: in validation before the
first one, and where samples are shown once more."""
BEFORE = 2
"""Steps in which a framework plans, compiles and fills its caches: they tell nothing."""
TELLING = 4
"""Steps after which their time is believed; it is looked at again each time that twice as many are done."""
TIMED = 2
"""Epochs by whose time the number of epochs is planned: the first one can take twice as long as the others."""
FEW = 0.5
"""Part of the recipe's epochs: where more fit, the first steps change nothing, as they tell less than a whole epoch."""


class Pace:
    """Is asked before each training step, and told of each epoch that is over.

    Args:
        steps: of an epoch, those of each fold.
        rows: that validate, of all folds.
        plan: takes another number of epochs for which learning rates fall to their end. Not always a whole one: where
            there is no time for two, the last epoch ends early.
        settles: whether the learners show samples once more behind an epoch, as `abilities.Settling` says.
    """

    def __init__(
        self,
        spec: TrialSpec,
        steps: list[int],
        rows: int,
        plan: Callable[[float], None],
        settles: Callable[[], bool] = bool,
    ) -> None:
        self.spec, self.steps, self.rows, self._plan, self._settles = spec, steps, rows, plan, settles
        self.epochs: float = spec.recipe.epochs
        self.val_seconds = 0.0
        self._epoch, self._fold = 0, 0
        self._done = self._of_fold = 0
        """Steps in this epoch: of all folds so far, and of this one."""
        self._since, self._step = math.nan, 0.0
        """When the first step that tells began, and what one takes by those that were taken."""
        self._by_whole = 0.0
        """What a step takes by a whole epoch, where there were too few to tell."""
        self._earlier = 0.0
        """Seconds of the epochs by which the number of epochs was planned."""

    # ---- what is asked ------------------------------------------------------------------------------------

    def over(self) -> bool:
        """Whether time is over. Validation comes after training, so its time is kept back, and that of samples which
        are shown once more before it."""
        if not self.spec.deadline:
            return False
        steps = self.steps[self._fold] - self._of_fold
        if steps < 1:
            return self._past(0.0)
        last = steps == 1
        return self._past(self._settling(self._again(self._of_fold + last, whole=last)))

    def late(self) -> bool:
        """Whether time is over where training is, and nothing but validation is to come."""
        return self._past(0.0)

    def begin(self, epoch: int, fold: int) -> None:
        """A fold's training begins in this epoch."""
        if epoch != self._epoch:
            self._epoch, self._done, self._since = epoch, 0, math.nan
        self._fold, self._of_fold = fold, 0

    def stop(self) -> bool:
        """Learners ask before each step."""
        self._measure()
        if self.over() or self._at_the_end():
            return True
        self._done, self._of_fold = self._done + 1, self._of_fold + 1
        return False

    def left(self) -> float:
        """Seconds. Whoever plans by them has taken no step of this fold yet. The last training does what the search did
        before it: there is nothing to plan."""
        self._done, self._of_fold = self._done - self._of_fold, 0
        if not self.spec.deadline or self.spec.division == EVERYTHING:
            return math.inf
        return self.spec.deadline - self.val_seconds - time.time()

    def cut(self, complete: bool) -> str:
        """In words, how much of a first epoch there was time for; empty where that was all, or another one came."""
        if complete or self._epoch > 1:
            return ""
        share = self._of_fold / self.steps[self._fold]
        return f"there is time for {share:.0%} of the training samples, each seen once"

    # ---- what is planned ----------------------------------------------------------------------------------

    def ended(self, seconds: float, traced: float) -> None:
        """A whole epoch took so long, its validation included, what was `traced` once left out."""
        if self._epoch > TIMED or not self.spec.allowance:
            return
        self._earlier += traced
        self._by_whole = self._of_whole(seconds)
        left = self.spec.deadline - time.time() + seconds
        settled = self._settling(self._all_again)
        self.take(self._fitting(max(0.0, seconds - self.val_seconds - settled), left))
        self._earlier += seconds

    def _past(self, behind: float) -> bool:
        """Whether validation ends behind the deadline, with so many seconds before it."""
        return bool(self.spec.deadline) and time.time() + behind + self._validation >= self.spec.deadline

    def _again(self, steps: int, *, whole: bool) -> int:
        """How many batches are shown once more behind so many steps."""
        return batches_shown_again(steps, self.spec.recipe.batch_size, whole=whole) if self._settles() else 0

    @property
    def _all_again(self) -> int:
        """The same for a whole epoch, of all folds."""
        return sum(self._again(steps, whole=True) for steps in self.steps)

    def _settling(self, batches: int) -> float:
        """Seconds in which so many batches are shown once more."""
        step = self._step or self._by_whole
        if step:
            return FORWARD * step * batches
        return self.val_seconds / max(1, self.rows) * self.spec.recipe.batch_size * batches

    def _of_whole(self, seconds: float) -> float:
        """Seconds of a step by those of an epoch that had too few steps to tell."""
        return max(0.0, seconds - self.val_seconds) / max(1.0, sum(self.steps) + FORWARD * self._all_again)

    @property
    def _validation(self) -> float:
        """Seconds."""
        if self._epoch > 1 or self.val_seconds:
            return self.val_seconds
        return FORWARD * self._step / self.spec.recipe.batch_size * self.rows

    def _measure(self) -> None:
        """Plan by the time of the steps so far: in the first epoch, and where there is no time for two, to the end."""
        now, telling = time.time(), self._done - BEFORE
        if telling <= 0:
            self._since = now
            return
        if self._done < TELLING:
            return
        self._step = (now - self._since) / telling
        doubled = self._epoch == 1 and self._done.bit_count() == 1
        if self.spec.allowance and (doubled or self.epochs < course.SHORTEST):
            left = self.spec.deadline - now + self._done * self._step
            found = self._fitting(sum(self.steps) * self._step, left)
            few = found <= max(course.SHORTEST, FEW * self.spec.recipe.epochs)
            self.take(found if few else math.inf)

    def _fitting(self, training: float, left: float) -> float:
        """Epochs, where one trains so long and so much was left when this one began."""
        left = left if self.spec.deadline else math.inf
        allowance, done = self.spec.allowance - self._earlier, self._epoch - 1
        return course.fitting(allowance, training, self._validation, left, done, self._settling(self._all_again))

    def take(self, epochs: float) -> None:
        """Plan so many, but no more than the recipe has."""
        epochs = min(epochs, self.spec.recipe.epochs)
        if epochs != self.epochs:
            self.epochs = epochs
            self._plan(epochs)

    def _at_the_end(self) -> bool:
        """Whether the last step of a plan that ends within an epoch was taken."""
        part = self.epochs - (self._epoch - 1)
        return part < 1 and self._of_fold >= max(1, round(part * self.steps[self._fold]))
