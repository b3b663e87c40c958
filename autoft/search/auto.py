"""The strategy `auto`: from cheap to dear, and more epochs only for those that earn them.

1. Trial 0, the plain default recipe, runs to its end beside everything else: it is what the search must beat.
2. Heads are solved on the features of networks at every image size; networks with poor features are dropped, of many
   networks on much data half of them by some of the samples. On the best features of those that are left some heads are
   trained by steps, side by side (`bankwork.py`).
3. Brackets of successive halving, whose trials start from the best head (linear probe, then fine-tune: Kumar et al.,
   ICLR 2022): of partly frozen networks, which share what the frozen part gives, and of networks trained whole. What
   does better gets more of the time. Heads drawn for a bracket run whole, side by side, and hold the places they win.
4. The best few once more with fresh seeds and, where the validation part is small, on another division of the same
   samples. The best mean wins: one lucky run does not. What time these leave has further brackets, and where nothing
   became better for long, further second runs (`secondruns.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from autoft.records import EpochReport, TrialResult
from autoft.search import bankwork, finals, first, halving, headgroups, secondruns, shares, starts
from autoft.search.extents import FEWEST, MOST, Extents
from autoft.search.families import BASELINE, HEADS, PARTIAL, WHOLE, families_of, is_shared, models, price
from autoft.search.halving import Bracket
from autoft.search.headwork import HeadSearch, area
from autoft.search.known import Known
from autoft.search.progress import PATIENT, Progress
from autoft.search.rounds import Rounds
from autoft.search.secondruns import FINALISTS, SecondRuns
from autoft.search.space import Values
from autoft.search.strategy import AT_A_TIME, Closed, Facts, Order, Work
from autoft.search.times import Times

AGAIN: Final = "again"
RIVAL: Final = "rival"  # a head drawn for a bracket
NETWORKS: Final = 3
"""Networks that go on after the heads."""
PROBED: Final = 8
"""Trials for each network that must be allowed, or no network is tried on some samples first."""


class Auto:
    """See the module's docstring. Implements `Strategy` and `Keeping`."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.began = facts.clock()
        self.known: dict[int, Known] = {}
        self.results: dict[int, TrialResult] = {}
        self.started: set[int] = set()
        self.active: set[int] = set()
        """Trials that are with a worker."""
        self.ranks = halving.Ranks(facts.mode, facts.blank, facts.perfect, facts.chance)
        self.rounds = Rounds(self.ranks, self._count)
        self.brackets = self.rounds.brackets
        self.apart: list[list[int]] = []
        """Heads of a bracket that wait to be trained to their end, side by side."""
        self.times = Times()
        self.networks = list(models(facts.space)) or [""]
        solvable = [name for name in self.networks if facts.solvable and name in facts.featured]
        probed = not facts.trials or facts.trials >= PROBED * len(solvable)
        self.heads = HeadSearch(facts.space, solvable, facts.mode, facts.parts if probed else (0, 0), facts.posed)
        self.narrowed = False
        """Whether networks and image sizes were chosen by their heads."""
        self.bank = bankwork.Banks(facts.space, facts.seed)
        self.draws = families_of(facts, self.networks, weak=self._weak(), anew=first.begins_solved(facts))
        self.extents = Extents(facts, self.times, self.ranks, self.draws)
        self.progress = Progress(self.began)
        self.starts = starts.Starts(able=facts.continues)
        self.second = SecondRuns(facts, self.known, self.results, self.ranks, self.starts.of)
        self.finals = 0
        """Second runs that were handed out since no further bracket fitted into the time before them."""
        self.closing = False
        """Whether none did."""
        self.reserved = FINALISTS if facts.trials >= 4 * FINALISTS else 0
        """How many trials are kept for second runs where their number is limited."""
        self._end = ""

    # ---- what comes next ------------------------------------------------------------------------------

    def next(self) -> Work | None:
        if self._end:
            return None
        if not self.known:
            return Work((self._begin(BASELINE, first.recipe(self.facts, self._left())),))
        if self._perfect():
            if self.second.sure():
                self._finish()
                return None
            doubtful, wait = self.second.doubts(self._left(), self.facts.clock() - self.began)
            work = self._rerun(doubtful) if self._room_for_trials() else None
            if work or wait:
                return work
        if self._room_for_trials() and (work := self._heads()):
            return work
        if self._solving():
            return None  # what follows starts from the best head
        if not self.narrowed:
            self._narrow()
        return self._bank() or self._from_brackets() or self._finalist() or self._new_bracket() or self._last_runs()

    def over(self) -> str:
        return self._end

    def chosen(self) -> int | None:
        """The trial whose model is the result: see `SecondRuns.chosen`. Never a head on some of the samples alone."""
        if any(known.again for known in self.known.values()) or (self.closing and not self._inherited()):
            return self.second.chosen()
        ended = [number for number in self.ranks.best if number in self.results and self.results[number].folder]
        probed = any(self.heads.is_probe(known.params) for known in self.known.values())
        return max(ended, key=lambda n: (self.ranks.best[n], -n)) if ended and probed else None

    def needed(self) -> Collection[int]:
        return self.second.needed()

    # ---- what came of it ------------------------------------------------------------------------------

    def reported(self, number: int, report: EpochReport) -> None:
        known = self.known[number]
        if not self.heads.is_probe(known.params):
            self.ranks.saw(number, report)
        self.times.saw(known.family, number, report, self._weight(known.params))
        if known.family == HEADS:
            self.heads.saw(self._model(number), known.params, report)

    def paused(self, number: int) -> None:
        self.active.discard(number)
        self.rounds.arrive(number, able=True)

    def ended(self, result: TrialResult) -> None:
        number = result.number
        self.results[number] = result
        self.active.discard(number)
        self.times.forget(number)
        self.ranks.ended(number, failed=result.status == "failed")
        if self.known[number].again:
            self.progress.learned(self.second.worth())
        self.rounds.arrive(number, able=False)
        if number == 0 and self.starts.short(result):
            self._go_on(result)

    def closed(self) -> Sequence[Closed]:
        return self.rounds.closed()

    # ---- heads ----------------------------------------------------------------------------------------

    def _heads(self) -> Work | None:
        wanted = self.heads.next(self._left(), {self._model(n) for n in self._solving()})
        if not self._of(HEADS):  # the first one tells whether there is time for others on its features
            wanted = self.heads.first(wanted)
        if self.facts.trials:  # half of them, so that there are others
            wanted = wanted[: max(0, min(self.facts.trials // 2 - len(self.known), self._free()))]
        orders = tuple(self._begin(HEADS, params) for params in wanted)
        return Work(orders) if orders else None

    def _bank(self) -> Work | None:
        """Heads by steps of a network whose solved heads are known, once for each."""
        most = self._free() if self.facts.trials else bankwork.COUNT
        solved = {name: head for name in self.networks if (head := self.heads.leading(name))}
        orders = tuple(
            self._order(self._begin(bankwork.BANK, params).number, 0) for params in self.bank.next(solved, most)
        )
        return Work(orders) if orders else None

    def _narrow(self) -> None:
        """Keep the networks and image sizes whose features are best; of equal ones those with the better prior, which
        come first."""
        self.narrowed = True
        known, ranked = self.heads.ranked(self.networks), self.heads.promising(self.networks)
        others = [name for name in self.networks if name not in known and name not in self.heads.dropped]
        self.networks = [*ranked[:NETWORKS], *others] or self.networks
        for family, draws in self.draws.items():
            draws.models = [name for name in self.networks if name in draws.models] or draws.models
            sizes = {name: self.heads.sizes(name) for name in ranked}
            draws.sizes = {name: self.extents.worth(own, family, self._left()) for name, own in sizes.items()}

    # ---- brackets -------------------------------------------------------------------------------------

    def _from_brackets(self) -> Work | None:
        if self.apart:
            return Work(tuple(self._order(number, 0) for number in self.apart.pop(0)))
        for bracket in self.brackets:
            orders: list[Order] = []
            seconds = 0.0
            while seconds < AT_A_TIME and (number := bracket.take()) is not None:
                orders.append(self._order(number, bracket.until))
                done = self.times.epochs.get(number, 0)
                epochs = max(1, (bracket.until or bracket.rungs[-1]) - done)
                if not self.times.measured(bracket.family):
                    break
                seconds += self.times.epoch_seconds(bracket.family) * self._weight(self.known[number].params) * epochs
            if orders:
                return Work(tuple(orders))
        return None

    def _new_bracket(self) -> Work | None:
        if self.progress.over(self.facts.clock()) or not self._room_for_trials(self.reserved):
            return None
        left = self._left() - self._seconds_for_finals()
        self._fit(FEWEST, left)
        fitting = ((one, *self.extents.of(one, left, self._most(one), self._epochs(one))) for one in self._families())
        family, count, epochs = next((found for found in fitting if found[1] >= FEWEST and found[2] >= 1), ("", 0, 0))
        if not family:
            if all(bracket.size == 1 for bracket in self.brackets):
                left = self._left()  # no trial of theirs can run again either
            self._fit(1, left)
            count, (family, epochs) = 1, self.extents.single(self._families(), left)
        if not family:
            return None
        goes_on = self.starts.wanted(self.results.get(0), len(self.brackets))
        numbers = self._drawn(family, count, epochs, goes_on) or self._drawn(family, count, epochs, False)
        if not numbers:
            self.draws.pop(family)
            return self._new_bracket()
        apart = {n: self.known[n].params for n in numbers if self.known[n].family == RIVAL}
        self.apart += headgroups.divided([*apart], apart, self.facts.workers)
        rest = [number for number in numbers if number not in apart]
        self.brackets.append(Bracket(family, rest, epochs, self.ranks.first, rivals=[*apart]))
        return self._from_brackets()

    def _fit(self, count: int, left: float) -> None:
        """Draw what so many trials have time for."""
        known = self.heads.ranked(self.networks)
        for family, draws in self.draws.items():
            draws.dearest = 1.0
            if family == PARTIAL:
                draws.dearest = self.extents.dearest(family, left, count)
                whole = self.times.epoch_seconds(BASELINE) if self.times.measured(BASELINE) else 0.0
                forward = whole * price(1.0, shared=False)  # nothing is trained
                draws.viewable = min((self.heads.viewable(n, left, forward) for n in known), default=float("inf"))

    def _drawn(self, family: str, count: int, epochs: int, goes_on: bool) -> list[int]:
        best, numbers = self._best(family), list[int]()
        for _ in range(starts.TRIES * count if goes_on else count):
            full = len(numbers) == count or not self._room_for_trials(self.reserved)
            draws, of = self.draws[family], self.heads
            params = None if full else draws.draw(best, of.best, near=count == 1, wide=of.wide)
            if params is None:
                break
            params = {**params, **({"epochs": epochs} if epochs != self.facts.epochs else {})}
            fitted = self.starts.changed(len(self.known), params, self._leaders()) if goes_on else params
            if fitted is not None:  # beside trials that go on, one that begins anew has lost
                head = headgroups.is_head(fitted, self.facts)
                numbers.append(self._begin(RIVAL if head else family, fitted).number)
        return numbers

    def _most(self, family: str) -> int:
        """Networks that know much are trained whole a few at a time, until one of them leads: it is dear."""
        if family != WHOLE or self._weak():
            return MOST
        own, *others = (self._top(one) for one in (WHOLE, HEADS, PARTIAL))
        beaten = [other for other in others if other is not None and (own is None or other > own)]
        return FEWEST if beaten else MOST

    def _epochs(self, family: str) -> int:
        """The most that trials of the next bracket plan for."""
        begun = bool(self.heads.ranked(self.networks)) and (family == PARTIAL or not self._weak())
        before = sum(bracket.family == family for bracket in self.brackets)
        return self.extents.planned(before, begun=begun, patient=self.progress.stale >= PATIENT)

    def _families(self) -> list[str]:
        best = {family: self._top(family) for family in (PARTIAL, WHOLE)}
        compared = len({bracket.family for bracket in self.brackets if bracket.done}) > 1
        ordered = shares.by_need(self.times.spent, best, weak=self._weak(), compared=compared)
        return [family for family in ordered if family in self.draws]

    def _go_on(self, baseline: TrialResult) -> None:
        """Trial 0 has ended, and no whole training fits once more. Of rounds that were begun beside it those that have
        not begun go on from the best model where it fits; who has fewer epochs behind it and is worse makes room."""
        leaders = self._leaders()
        for number in [n for bracket in self.brackets for n in bracket.waiting if n not in self.started]:
            if changed := self.starts.changed(number, self.known[number].params, leaders):
                self.known[number] = self.known[number]._replace(params=changed)

        def behind(number: int) -> bool:
            alike = number in self.started and starts.agree(starts.SAME, self.known[number].params, baseline)
            best = self.ranks.best
            return alike and best.get(number, -float("inf")) < best.get(baseline.number, -float("inf"))

        self.rounds.make_room(behind)

    def _count(self, bracket: Bracket) -> None:
        """Whether this bracket made the search better. A single trial for which alone there was time does not count;
        where blocks can be trained, heads do not."""
        if bracket.size > 1:
            trained = len(bracket.numbers) if any(draws.trained() for draws in self.draws.values()) else bracket.size
            self.progress.round(trained, self.second.worth(), self.facts.clock())

    # ---- the end --------------------------------------------------------------------------------------

    def _last_runs(self) -> Work | None:
        """What is left when no further bracket fits: the best few once more, then the end of the search."""
        if not self.closing:
            if 0 not in self.results or not all(bracket.done for bracket in self.brackets):
                return None
            self.closing = True
        within = secondruns.SHARE * ((self.facts.deadline() or self.facts.clock()) - self.began)
        work = self._finalist() or self._rerun(self._next_rerun(within))
        if work is None:
            self._finish()
        return work

    def _finalist(self) -> Work | None:
        """The next of the first second runs."""
        if not self.closing or self.finals >= FINALISTS:
            return None
        self.finals += 1
        return self._rerun(self._next_rerun())

    def _next_rerun(self, within: float = float("inf")) -> int | None:
        return self.second.next(self._left(), within) if self._room_for_trials() and not self._inherited() else None

    def _rerun(self, number: int | None) -> Work | None:
        """This configuration once more."""
        if number is None:
            return None
        params, runs, of = self.second.order(number)
        return Work((self._order(self._begin(AGAIN, params, runs, of).number, 0),))

    def _finish(self) -> None:
        """The end, when all that runs has come to it."""
        if self.active or 0 not in self.results:
            return
        stale = self.progress.stale if self.progress.over(self.facts.clock()) else 0
        room = self._room_for_trials(self.reserved) and bool(self.facts.deadline())
        self._end = finals.reason(self._perfect() and self.second.sure(), stale, room)

    # ---- bookkeeping ----------------------------------------------------------------------------------

    def _begin(self, family: str, params: Mapping[str, Any], again: int = 0, of: Values | None = None) -> Order:
        self.known[number := len(self.known)] = Known(family, dict(params), again, of or {})
        if family in (BASELINE, HEADS):
            return self._order(number, 0)
        return Order(number, dict(params), 0, again)

    def _order(self, number: int, until: int) -> Order:
        known = self.known[number]
        first = number not in self.started
        self.started.add(number)
        self.active.add(number)
        if not first:
            return Order(number, None, until, known.again)
        start = self.starts.begin(number, known.params, self._leaders())
        return Order(number, dict(known.params), until, known.again, start)

    def _solving(self) -> list[int]:
        return [number for number in self.active if self.known[number].family == HEADS]

    def _of(self, family: str) -> list[int]:
        return [number for number, known in self.known.items() if known.family == family]

    def _model(self, number: int) -> str:
        return str(self.known[number].params.get("model", self.networks[0]))

    def _best(self, family: str) -> Values | None:
        scored = [number for number in self._of(family) if number in self.ranks.best]
        return self.known[max(scored, key=lambda n: self.ranks.best[n])].params if scored else None

    def _weight(self, params: Values) -> float:
        """What an epoch of this configuration costs, in epochs of the whole network on images of area 1."""
        named = {"model": self.networks[0], **params}
        shared = is_shared(named, self.facts.sharing)
        return price(params.get("freeze", 0.0), shared=shared) * area(params.get("image_size"))

    def _left(self) -> float:
        deadline = self.facts.deadline()
        return deadline - self.facts.clock() if deadline else float("inf")

    def _seconds_for_finals(self) -> float:
        deadline = self.facts.deadline()
        none = self.closing or self._inherited() or self.starts.short(self.results.get(0))
        return secondruns.SHARE * (deadline - self.began) if deadline and not none else 0.0

    def _leaders(self) -> list[TrialResult]:
        """Second runs have learned from samples that validate in other trials."""
        leaders = starts.leaders(self.results, self.ranks.best)
        return [leader for leader in leaders if not self.known[leader.number].again]

    def _inherited(self) -> bool:
        """Whether the best trial began with the model of another one."""
        return max(self.ranks.best, key=lambda number: self.ranks.best[number], default=-1) in self.starts.of

    def _top(self, family: str) -> float | None:
        return max((self.ranks.best[n] for n in self._of(family) if n in self.ranks.best), default=None)

    def _weak(self) -> bool:
        return all(name in self.facts.weak for name in self.networks)

    def _room_for_trials(self, reserved: int = 0) -> bool:
        """Whether there may be another one, with so many left for later."""
        return not self.facts.trials or len(self.known) + reserved < self.facts.trials

    def _free(self) -> int:
        """Trials that heads may have where their number is limited: a bracket is kept, and second runs."""
        return max(0, self.facts.trials - len(self.known) - FEWEST - self.reserved)

    def _perfect(self) -> bool:
        if self.facts.perfect is None or not self.ranks.best:
            return False
        return max(self.ranks.top.values()) >= self.ranks.sign * self.facts.perfect
