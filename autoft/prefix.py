"""The frozen prefix of one trial: from the cache where nothing forbids it, else computed at every step, as always."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from autoft.abilities import Leveled, stands_on
from autoft.activations import ActivationFeed, Ask, Choice, Origin, choose, fill, forbidden, origin_of
from autoft.activations.choice import frozen
from autoft.activations.fill import Filled
from autoft.activations.selftest import differences, few
from autoft.contracts import Array, Cuttable, Feed, Learner, Stop
from autoft.data import cache
from autoft.data.feed import StoreFeed
from autoft.errors import TrialFailed
from autoft.recipe import LEVELS
from autoft.records import Caching, Cut, Job, TrialSpec, View
from autoft.trialdata import Opened, open_data

PLAIN = View()
TELLING = 16
"""Rows that must be computed in one go to tell how long one takes."""
NO_LEVELS = "pooling=levels needs a network for images that gives features of all levels, but {} does not."
LATE = "time was over before the first training step."
FEWEST, LEAST = 20, 0.1
"""Rows, and part of all rows, that a head may be solved on where time ends before all features are there."""


_agreed: dict[tuple[str, bytes], float] = {}
"""Cut of certain weights and data, and the kept rows that were tried -> the largest difference that was found."""


class Shares(NamedTuple):
    """One fold: its learner and the feeds of its inputs."""

    learner: Learner
    train: StoreFeed
    val: StoreFeed


class Prefix:
    """Gives each fold's feeds, from the inputs or from a cut, and the features that heads are solved on.

    What stands before a cut is the same for all folds, so it is computed by the first one's learner.
    """

    def __init__(
        self,
        spec: TrialSpec,
        job: Job,
        shares: Sequence[Shares],
        versions: Mapping[str, str],
        stop: Stop,
        soon: Stop | None = None,
    ) -> None:
        """`soon` tells when features must be done with: time is left then to solve a head on those that are there."""
        self.spec, self.job, self.shares, self.stop = spec, job, shares, stop
        self._soon = stop if soon is None or spec.recipe.optimizer != "solve" else soon
        self._versions = versions
        self.row_seconds = 0.0
        """Of one row's way through the network, where rows were computed here."""
        self._origin: Origin | None = None
        self._feeds: list[tuple[ActivationFeed, ActivationFeed]] = []
        self._held: list[Filled] = []
        """While it is referred to, a store cannot be evicted."""
        self.cut: Cut | None = None
        self._faulty = False
        """Whether what is kept did not agree with the network."""
        learner = shares[0].learner
        able = isinstance(learner, Cuttable) and stands_on(learner, LEVELS)
        if spec.recipe.pooling == LEVELS and not able:
            raise TrialFailed(NO_LEVELS.format(job.card.name), "Use pooling=auto.")
        self.words = ""
        """For `EpochReport.prefix`: what was taken from the cache, or why nothing was."""
        if spec.caching:
            self.words = self._begin(spec.caching)

    def train(self, number: int, epoch: int) -> Feed:
        """What the learner of a fold trains on in this epoch."""
        return self._feeds[number][0].at(epoch) if self.cut else self.shares[number].train

    def val(self, number: int) -> Feed:
        return self._feeds[number][1] if self.cut else self.shares[number].val

    def verify(self) -> None:
        """After other weights were loaded: do frozen blocks still give what is kept? If not, leave the cache."""
        if self.cut and (fault := self._disagreement(self.cut)[1]):
            self._leave()
            self.words = f"none: {fault}"

    def again(self, spec: TrialSpec, stop: Stop) -> Prefix:
        """The same for another trial of the same learners, with its own recipe and deadline."""
        other = copy.copy(self)
        other.spec, other.stop = spec, stop
        return other

    # ---- the cut ------------------------------------------------------------------------------------------

    def _begin(self, caching: Caching) -> str:
        """Enter a cut if that is possible; says in words what came of it."""
        learner, recipe = self.shares[0].learner, self.spec.recipe
        if not isinstance(learner, Cuttable):
            return f"none: the learners of the backend '{self.spec.backend}' are not Cuttable"
        blocks = len(learner.blocks())
        if reason := forbidden(recipe, blocks):
            return f"none: {reason}"
        depths = [frozen(freeze, blocks) for freeze in caching.freezes]
        views = recipe.views if recipe.augment != "none" else 0
        rows = len(self._data.store) * (1 + views)
        own = frozen(recipe.freeze, blocks)
        first = stands_on(learner, LEVELS) if recipe.pooling == LEVELS else None
        also = learner.levels() if caching.levels and not views and isinstance(learner, Leveled) else None
        size, most = self.job.image_size, caching.max_bytes
        choice = choose(learner.cuts(), own, depths, size, rows, most, first=first, also=also)
        if isinstance(choice, str):
            return f"none: {choice}"
        try:
            return self._enter(learner, choice, views, blocks)
        except OSError as error:  # the disk is full, or the cache is another user's
            self._leave()
            return f"none: the cache cannot be used: {error.strerror or error}"

    def _enter(self, learner: Cuttable, choice: Choice, views: int, blocks: int) -> str:
        train, val = self._rows("train"), self._rows("val")
        if self._data.splits.spare:  # one store of a view then serves all divisions
            train = np.union1d(train, val)
        part = self.spec.recipe.optimizer == "solve"  # on some of the training rows, where there is no time for all
        asks = [Ask(PLAIN, val if views or part else np.union1d(train, val), choice.all)]
        asks += [Ask(View(augment=self.spec.recipe.augment, number=n + 1), train, choice.all) for n in range(views)]
        found: list[Filled] = []
        for ask in asks:
            found.append(self._fill(learner, ask, self.stop))
            if not found[-1].complete:
                return "none: time was over before what the frozen blocks give was computed"
        self._held = found
        more = []
        if part:
            train = self._solved_on()
            more = [self._fill(learner, Ask(PLAIN, np.setdiff1d(train, val), choice.all), self._soon)]
        arrays = [filled.store.rows for filled in found]
        turns = arrays[1:] or arrays
        for share in self.shares:
            starts = np.random.default_rng((self.spec.seed, 1)).integers(0, len(turns), len(share.train))
            self._feeds.append(
                (
                    ActivationFeed(turns, share.train.rows, share.train.targets, starts),
                    ActivationFeed(arrays[:1], share.val.rows, share.val.targets),
                )
            )
        self.cut = choice.own
        difference, fault = self._agreement(choice.own)
        if fault:
            self._faulty = True
            self._leave()
            return f"none: {fault}"
        computed = sum(filled.computed for filled in found + more)
        asked = len(np.union1d(train, val)) if part else sum(len(ask.rows) for ask in asks)
        return (
            f"{choice.own.depth} of {blocks} blocks ({' x '.join(map(str, choice.own.shape))}), "
            f"{computed} of {asked} rows computed now, largest difference {difference:.1g}"
        )

    def _leave(self) -> None:
        """Back to the inputs."""
        self.cut, self._feeds, self._held = None, [], []
        for share in self.shares:
            if isinstance(share.learner, Cuttable):
                share.learner.enter(None)

    def _agreement(self, cut: Cut) -> tuple[float, str]:
        """As `_disagreement`, but once per process for the same weights and kept rows. All learners enter the cut."""
        assert self._origin
        kept = b"".join(few(cached).tobytes() for _, cached in self._feeds)
        tried = (self._origin.key(cut, PLAIN), hashlib.blake2b(kept).digest())
        if tried not in _agreed:
            difference, fault = self._disagreement(cut)
            if fault:
                return difference, fault
            _agreed[tried] = difference
        for share in self.shares:
            assert isinstance(share.learner, Cuttable)
            share.learner.enter(cut)
        return _agreed[tried], ""

    def _disagreement(self, cut: Cut) -> tuple[float, str]:
        """The largest difference between cache and inputs on a few rows of each fold, and why it is too large.

        Afterwards all learners have entered the cut, if none disagrees.
        """
        precision, gpu = self.spec.recipe.precision, self.spec.resources.gpus > 0
        coarse = precision in ("bf16", "fp16") or (precision == "auto" and gpu)
        largest = 0.0
        for share, (_, cached) in zip(self.shares, self._feeds, strict=True):
            assert isinstance(share.learner, Cuttable)
            try:
                found = differences(share.learner, cut, share.val, cached, self.spec.problem.outputs, coarse)
            except ValueError as error:
                return largest, f"the learner does not enter its cut: {error}"
            largest = max(largest, found.values, found.rows)
            if found.fault:
                return largest, found.fault
        return largest, ""

    # ---- features for heads -------------------------------------------------------------------------------

    def features(self) -> tuple[Array, Array]:
        """What the whole backbone gives for the training rows of all folds: those rows, sorted, and (n, width).

        Without augmentation. From the cache, if the trial may use one. Where nothing but a head is solved and there is
        no time for all rows, those that are there.

        Raises:
            TrialFailed: the learner cannot give them, or time is over.
        """
        learner, recipe = self.shares[0].learner, self.spec.recipe
        if not isinstance(learner, Cuttable):
            raise TrialFailed(
                f"head_init={recipe.head_init} needs a backend that gives features, but the learners of "
                f"'{self.spec.backend}' are not Cuttable.",
                "Use head_init=random.",
            )
        cut = stands_on(learner, recipe.pooling)
        if cut is None:
            raise TrialFailed(f"head_init={recipe.head_init} needs pooled features, but {self.job.card.name} has none.")
        rows = self._solved_on()
        entered, self_cut = self.cut is not None, self.cut
        if entered:
            learner.enter(None)
        try:
            return self._features(learner, cut, rows)
        finally:
            if entered:
                learner.enter(self_cut)

    def _features(self, learner: Cuttable, cut: Cut, rows: Array) -> tuple[Array, Array]:
        if self.spec.caching and not self._faulty:
            try:
                found = self._fill(learner, Ask(PLAIN, rows, (cut,)), self._soon)
            except OSError:  # said in `words` already, where the cut could not be entered
                found = None
            if found:
                there = np.setdiff1d(rows, found.store.missing(rows))
                enough = len(there) >= max(FEWEST, LEAST * len(rows)) and self.spec.recipe.optimizer == "solve"
                if not found.complete and not enough:
                    raise TrialFailed(LATE)
                if not found.complete:
                    self.words += f"; solved on {len(there)} of {len(rows)} training rows, for which there was time"
                return there, found.store.rows[there]
        parts = []
        for (values,) in learner.extract(self._feed(rows), (cut,), PLAIN):
            if self.stop():
                raise TrialFailed(LATE)
            parts.append(values)
        return rows, np.concatenate(parts)

    # ---- what both need -----------------------------------------------------------------------------------

    @property
    def _data(self) -> Opened:
        return open_data(self.spec.data)

    def _feed(self, rows: Array) -> Feed:
        return StoreFeed(self._data.taken_by(self.job.card.modality), rows)

    def _rows(self, part: str) -> Array:
        """Rows of one part in any fold, sorted."""
        return np.unique(np.concatenate([getattr(share, part).rows for share in self.shares]))

    def _solved_on(self) -> Array:
        """The training rows that heads are solved on, sorted. Some of them lie evenly among all, in the order of what
        they are labelled with: classes keep their shares, and numbers their range."""
        rows, most = self._rows("train"), self.spec.recipe.head_rows
        if not most or most >= len(rows):
            return rows
        label = np.zeros(len(rows))
        for share in self.shares:
            first = next(iter(share.train.targets.values()))
            label[np.searchsorted(rows, share.train.rows)] = first if first.ndim == 1 else first.argmax(axis=1)
        ordered = rows[np.argsort(label, kind="stable")]
        return np.sort(ordered[np.arange(most) * len(rows) // most])

    def _fill(self, learner: Cuttable, ask: Ask, stop: Stop) -> Filled:
        assert self.spec.caching
        self._origin = self._origin or origin_of(self.job, self._versions, self.spec.data.fingerprint)
        root, most = cache.machine_root("activations"), self.spec.caching.max_bytes
        began = time.perf_counter()
        found = fill(root, self._origin, ask, learner, self._feed, len(self._data.store), most, stop)
        if found.computed >= TELLING:
            self.row_seconds = (time.perf_counter() - began) / found.computed
        return found
