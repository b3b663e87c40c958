"""The solved heads of a search: which network and image size come next, and what their scores say of both.

Heads are cheap where features are shared, so every network is tried at every image size that time allows: features that
are better at 224 pixels than at 128 make better partly frozen networks too. Of networks for texts it is every way to
make one vector of many. Where a network for images gives features of all levels, heads on these by ridge come first: as
a rule they are better, for the same pass. They give way where time is short (`headtimes.py`). Only a head on the last
features can be what a partly frozen network begins with.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from autoft.counted import selection_score
from autoft.records import EpochReport, Mode, Scalar
from autoft.search.families import VIEWS, key_of
from autoft.search.headgrid import Solving, beyond, heads, pooled, readings
from autoft.search.headtimes import HeadTimes, is_wide
from autoft.search.probes import PROBE, Probes
from autoft.search.space import Space, Values

SHARE: Final = 0.2
"""Part of the time left that the features of one network at one image size may take."""
LEVELED: Final = 8192
"""Training samples up to which heads see all levels: several thousand numbers of each are held in memory."""
UNIT: Final = 100
"""Side of an image of area 1; where there are no images, all is of area 1."""
FAR: Final = 0.1
"""Features that are worse by this part of the best score, and by more than chance, are no match: in simulated searches
two such networks of three took 24 to 43 % of the time of what trains blocks."""
ERRORS: Final = 3
"""Standard errors that chance may make, of a share of one half at most, over the samples that cross-validate."""
CLOSE: Final = 0.02
"""Features this much worse, as a part of the best score, are as good: the smaller image is then the cheaper one."""


class HeadSearch:
    """Hands out configurations of solved heads by network and image size, and ranks both by how they score.

    Of several networks on much data each is tried on some samples first, and the better half goes on (`probes.py`).

    Args:
        networks: those whose heads can be solved, the most promising first.
        mode: whether larger or smaller scores are better. A head's value is its selection score
            (`counted.selection_score`).
        parts: training and validation samples.
        posed: formulations whose solutions differ.
    """

    def __init__(
        self,
        space: Space,
        networks: Sequence[str],
        mode: Mode,
        parts: tuple[int, int] = (0, 0),
        posed: Sequence[str] = (),
    ) -> None:
        self.space, self.mode, self.posed, self._networks = space, mode, posed, networks
        self._todo = [(name, way) for name in networks for way in _by_promise(readings(space, name))]
        usual = next((param.default for param in space if param.key == "head_rows"), 0)
        self._probes, self._parts = Probes(networks, 0 if usual else parts[0]), parts
        self._usual = usual
        self.dropped: set[str] = set()
        """Networks that did not go on."""
        self._values: dict[str, dict[int, float]] = {}
        self._best: dict[tuple[str, bool], tuple[float, Solving, Values]] = {}
        """Of a network, on its last features or (True) on all levels."""
        self._tried: dict[object, set[float]] = defaultdict(set)
        """Strengths that were handed out, by all else of their heads."""
        self._waiting: list[tuple[str, list[Values]]] = []
        """Heads on features that are there."""
        self._late: list[tuple[str, list[Values]]] = []
        """The same that come when there is nothing else to be solved."""
        self._times = HeadTimes()
        self._seconds: dict[str, float] = {}
        """For the features of a network, per unit of area."""

    def next(self, left: float, busy: Collection[str] = ()) -> list[Values]:
        """The heads of the next network and reading whose features take no more than their share of `left` seconds,
        then those beyond the ends of the usual strengths; empty when there are none now.

        Args:
            busy: networks that are being worked on: what their features cost is known when that is done.
        """
        found = (
            self._piece(self._waiting, left, busy)
            or self._grid(left, busy)
            or self._piece(self._late, left, busy)
            or self._outward(left, busy)
        )
        for params in found:
            if not self.is_probe(params):
                self._tried[_kind(params)].add(float(params.get("head_strength") or 0))
        return found

    def _grid(self, left: float, busy: Collection[str]) -> list[Values]:
        if not self._probes.over:
            if name := self._probes.next(busy):
                if first := heads(self.space, name, readings(self.space, name)[:1])[:1]:
                    return [{**params, "head_rows": PROBE} for params in first]
                self._probes.skip(name)
                return self._grid(left, busy)
            if busy:
                return []
            self.dropped = self._probes.end()
            self._todo = [(name, way) for name, way in self._todo if name not in self.dropped]
        for name, way in [(name, way) for name, way in self._todo if name not in busy]:
            self._todo.remove((name, way))
            expected = self._seconds.get(name, 0.0) * area(way.get("image_size"))
            if expected <= SHARE * left and (found := heads(self.space, name, self._ways(name, way), self.posed)):
                self._divide(name, found)
                if timely := self._piece(self._waiting, left, busy):
                    return timely
        return []

    def _ways(self, name: str, way: Values) -> list[Values]:
        """All that one pass gives the features of."""
        return pooled(self.space, way, name)[::-1] if self._parts[0] <= LEVELED else [way]

    def _divide(self, name: str, found: Sequence[Values]) -> None:
        """Into pieces, between which time is looked at again: no head of a piece of work can be called off."""
        wide = [params for params in found if is_wide(params)]
        ridge = [params for params in wide if params["head_init"] == "ridge"]
        plain = [params for params in found if not is_wide(params)]
        self._waiting += [(name, piece) for piece in (ridge, plain) if piece]
        self._late += [(name, [params]) for params in wide if params["head_init"] != "ridge"]

    def _piece(self, pieces: list[tuple[str, list[Values]]], left: float, busy: Collection[str]) -> list[Values]:
        for piece in [piece for piece in pieces if piece[0] not in busy]:
            pieces.remove(piece)
            if timely := self._times.fitting(piece[1], left):
                return timely
        return []

    def first(self, found: list[Values]) -> list[Values]:
        """The first of heads that were handed out; the others of its network wait for what it tells."""
        if others := found[1:]:
            self._waiting.insert(0, (str(found[0].get("model", self._networks[0])), others))
        return found[:1]

    def _outward(self, left: float, busy: Collection[str]) -> list[Values]:
        """More heads of a network whose best one is the least or the most held back of its kind."""
        if not any(param.key == "head_strength" and not param.fixed for param in self.space):
            return []
        for (name, _), (_, solving, params) in self._best.items():
            strengths = beyond(self._tried[_kind(params)], solving.strength) if name not in busy else []
            more: list[Values] = [{**params, "head_strength": strength} for strength in strengths]
            if timely := self._times.fitting(more, left):
                return timely
        return []

    def saw(self, name: str, params: Mapping[str, Scalar], report: EpochReport) -> None:
        """A head of this network was solved."""
        value = selection_score(report.score, report.combined, self.mode, report.finer) * (
            1 if self.mode == "max" else -1
        )
        size = int(params.get("image_size") or 0)
        per_area = report.prefix_seconds / area(size)
        if self.is_probe(params):
            self._probes.saw(name, value)
            self._seconds[name] = per_area * sum(self._parts) / (PROBE + self._parts[1])
            return
        self._seconds[name] = max(per_area, self._seconds.get(name, 0.0))
        self._times.saw(params, report)
        wide = is_wide(params)
        if not wide:  # what sizes are worth is asked for blocks that train
            sizes = self._values.setdefault(name, {})
            sizes[size] = max(value, sizes.get(size, -float("inf")))
        if (name, wide) not in self._best or value > self._best[name, wide][0]:
            keys = [*readings(self.space, name)[0], *(("pooling",) if wide else ())]
            reading = {key: params[key] for key in dict.fromkeys(keys)}
            strength, word = float(params["head_strength"] or 0), str(params.get("formulation", ""))
            solving = Solving(name, reading, str(params["head_init"]), strength, word)
            self._best[name, wide] = (value, solving, dict(params))

    def is_probe(self, params: Mapping[str, Scalar]) -> bool:
        """Whether this is a head on some of the samples, which only tells whether its network goes on."""
        return not self._usual and params.get("head_rows", 0) == PROBE

    def best(self, name: str) -> Solving | None:
        """How the best head of a network on its last features is solved."""
        return self._best[name, False][1] if (name, False) in self._best else None

    def wide(self, name: str) -> Solving | None:
        """The same for all levels."""
        return self._best[name, True][1] if (name, True) in self._best else None

    def leading(self, name: str) -> Solving | None:
        """The better one of both."""
        found = [self._best[key] for key in ((name, False), (name, True)) if key in self._best]
        return max(found, key=lambda one: one[0])[1] if found else None

    def viewable(self, name: str, left: float, forward: float = 0.0) -> float:
        """The largest side of images for which what frozen blocks give for `VIEWS` versions of all samples takes no
        more than its share of `left` seconds.

        Args:
            forward: seconds of all samples' way through the network on images of area 1, as far as it is known from
                training: features of an earlier search tell nothing of it.
        """
        seconds = VIEWS * max(self._seconds.get(name, 0.0), forward)
        return UNIT * math.sqrt(max(0.0, SHARE * left) / seconds) if seconds else float("inf")

    def ranked(self, networks: Sequence[str]) -> list[str]:
        """Networks by their best head on the last features; of equal ones the earlier in `networks` comes first."""
        known = [name for name in networks if (name, False) in self._best]
        return sorted(known, key=lambda name: (-self._best[name, False][0], networks.index(name)))

    def promising(self, networks: Sequence[str]) -> list[str]:
        """Of `ranked` those whose features are no worse than the best by `FAR` of its score, or more on few samples."""
        ranked = self.ranked(networks)
        values = [self._best[name, False][0] for name in ranked]
        if not values or not self._parts[0]:
            return ranked
        far = max(FAR, ERRORS * 0.5 / math.sqrt(self._parts[0]))
        scale = max(abs(values[0]), 0.5 if self.mode == "max" else 0.0)  # near 0 any difference is many times the best
        return [name for name, value in zip(ranked, values, strict=True) if values[0] - value <= far * scale]

    def sizes(self, name: str) -> tuple[int, ...]:
        """Image sizes at which the features of a network are as good as at the best one, the largest first."""
        values = self._values.get(name, {})
        best = max(values.values(), default=0.0)
        return tuple(sorted((s for s, value in values.items() if value >= best - CLOSE * abs(best)), reverse=True))


def area(size: Scalar) -> float:
    """Of an image, in units in which times do not become tiny; 1 where there is no image size."""
    return (float(size) / UNIT) ** 2 if isinstance(size, int | float) and size else 1.0


def _kind(params: Mapping[str, Scalar]) -> object:
    """The same for heads that differ by their strength alone."""
    return key_of({key: value for key, value in params.items() if key != "head_strength"})


def _by_promise(ways: Iterable[Values]) -> list[Values]:
    """The default first, which tells what features cost; then the largest images, which tend to be the best."""
    first, *others = ways
    return [first, *sorted(others, key=lambda way: -area(way.get("image_size")))]
