"""Who trains, who validates, who tests: the user's own parts, or stratified ones drawn from a seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from autoft.data.kin import NO_KIN, Kin
from autoft.data.partition import count, divide, ensure_strata
from autoft.errors import DataError
from autoft.records import Dataset, Fold, Sample, Splits

if TYPE_CHECKING:
    from autoft.contracts import Array

TEST: Final = 0.15
VAL: Final = 0.15 / 0.85
"""Of what is not test, so that 70/15/15 comes out."""
FEWEST_SAMPLES: Final = 6
HALVED_VAL: Final = 20
"""From this many samples on, validation data of the user's own are halved when there are no test data."""
FEW_TRAIN, FEW_VAL, FEW_VAL_TOTAL = 10, 2, 30
"""Below these (per class, per class, in all) one validation part says too little, and it is repeated."""
FEWEST_VAL: Final = 4
"""Samples that one validation part needs, however much is counted in each of them."""
MANY_VAL: Final = 500
"""With this many validation samples one rare class does not make the whole search several times as dear."""
FOLDS: Final = (3, 5)
SPARES: Final = 2
"""Divisions beside the first."""


class _Unit(NamedTuple):
    """Samples that stay together: of one group, or byte-identical."""

    ids: tuple[str, ...]
    strata: tuple[int, ...]
    """Of each sample, counted from 0."""


def make(
    dataset: Dataset,
    strata: Sequence[str],
    digests: Sequence[str],
    seed: int,
    drop: Collection[str] = (),
    counts: Sequence[int] = (),
    kin: Kin = NO_KIN,
) -> Splits:
    """The splits of a data set.

    They depend on the ids, strata, digests, groups, kin and the seed, not on the order of the samples. Samples of
    one group, byte-identical ones and kin stay together. A class with one sample trains.

    Args:
        strata: one word per sample; each part keeps the proportions of these.
        digests: one hash per sample, equal for byte-identical files.
        drop: ids to leave out.
        counts: things in each sample that a score counts (`abilities.Counting`); empty is one in each.
        kin: further words that samples which stay together have in common.

    Raises:
        DataError: too few samples or groups, or the user's own parts leave nothing to train or validate on.
    """
    rows = sorted(
        (row for row in zip(dataset.samples, strata, digests, strict=True) if row[0].id not in drop),
        key=lambda row: row[0].id,
    )
    counted = {sample.id: count for sample, count in zip(dataset.samples, counts, strict=True)} if counts else {}
    samples, words, marks = [sample for sample, _, _ in rows], [s for _, s, _ in rows], [d for _, _, d in rows]
    return _Maker(samples, words, marks, seed, counted, kin).make()


class _Maker:
    """The samples that remain, by part and unit."""

    def __init__(
        self,
        samples: list[Sample],
        strata: list[str],
        digests: list[str],
        seed: int,
        counted: Mapping[str, int],
        kin: Kin,
    ) -> None:
        self.seed, self.counted, self.kin = seed, counted, kin
        self.words = sorted(set(strata))
        places = {word: i for i, word in enumerate(self.words)}
        self.stratum = {s.id: places[word] for s, word in zip(samples, strata, strict=True)}
        self.grouped = any(sample.group for sample in samples)
        self.parts: dict[str, list[_Unit]] = {}
        given = any(sample.split in ("val", "test") for sample in samples)
        for part in ("train", "val", "test"):
            chosen = [i for i, s in enumerate(samples) if (s.split if given and s.split else "train") == part]
            self.parts[part] = self._units([samples[i] for i in chosen], [digests[i] for i in chosen])
        self.given = given
        marks = [digest or sample.id for sample, digest in zip(samples, digests, strict=True)]
        parts = [sample.split if given else "" for sample in samples]
        words = [*(kin.keys.get(sample.id, (mark,))[0] for sample, mark in zip(samples, marks, strict=True))]
        self.twins = len(samples) - len({*zip(parts, marks, strict=True)})
        self.near = len(samples) - len({*zip(parts, words, strict=True)}) - self.twins

    def make(self) -> Splits:
        train, val, test = self.parts["train"], self.parts["val"], self.parts["test"]
        _require(train, val, test, self.given)
        if not self.given:
            train, test = self._carve(train, TEST, "test", keep=2)
            return self._validated(train, test, "test is 15 % of the samples")
        if val and test:
            return self._one_fold(train, val, test, "given", "the parts are those of the data")
        if test:
            return self._validated(train, test, "test is that of the data, validation is taken from its training part")
        if _size(val) >= HALVED_VAL and len(val) > 1:
            val, test = self._carve(val, 0.5, "test")
            said = "the data have no test part: one half of their validation part is the test, the other validates"
            return self._one_fold(train, val, test, "given", said)
        train, test = self._carve(train, TEST, "test", keep=2)
        said = "validation is that of the data; as it is small and there is no test part, 15 % of training became test"
        return self._one_fold(train, val, test, "given", said)

    def _validated(self, rest: list[_Unit], test: list[_Unit], said: str) -> Splits:
        """One validation part out of `rest`, or several folds when classes are small."""
        train, val = self._carve(rest, VAL if not self.given else TEST, "val")
        few = self._too_few(train, val)
        if few and len(rest) > 2:
            return self._repeated(rest, test, f"{said}; {few}")
        kind = "grouped" if self.grouped else "stratified"
        divided = self._one_fold(train, val, test, kind, said)
        return msgspec.structs.replace(divided, spare=self._spare(train, val))

    def _spare(self, train: list[_Unit], val: list[_Unit]) -> tuple[Fold, ...]:
        """Further divisions of the same samples: other ones validate in each. None where one part says enough."""
        found: list[Fold] = []
        if self._says(val) >= MANY_VAL or self.given:
            return ()
        fresh, before = train, val
        for number in range(SPARES):
            if len(fresh) < 3:
                break
            fresh, own = self._carve(fresh, _size(val) / max(1, _size(fresh)), f"spare {number}")
            if self._too_few(fresh, own):
                break
            found.append(Fold(train=_ids([*fresh, *before]), val=_ids(own)))
            before = [*before, *own]
        return tuple(found)

    def _too_few(self, train: list[_Unit], val: list[_Unit]) -> str:
        """Why one validation part would say too little, or an empty string."""
        if self._says(val) < FEW_VAL_TOTAL:
            return f"validation would have {_size(val)} samples only"
        trains, vals = self._count(train), self._count(val)
        present = np.flatnonzero(trains + vals)
        small = present[(trains[present] < FEW_TRAIN) | (vals[present] < FEW_VAL)]
        if not len(small) or self._says(val) >= MANY_VAL:
            return ""
        words = ", ".join(f"'{self.words[i]}'" for i in small[:3]) + (" ..." if len(small) > 3 else "")
        return f"few samples of {words}"

    def _says(self, units: list[_Unit]) -> int:
        """What a score of these samples counts; nothing worth the name where they are hardly any."""
        if _size(units) < FEWEST_VAL:
            return 0
        return sum(self.counted.get(name, 1) for unit in units for name in unit.ids)

    def _repeated(self, rest: list[_Unit], test: list[_Unit], said: str) -> Splits:
        totals = self._count(rest)
        smallest = int(totals[totals > 0].min())
        number = min(max(smallest, FOLDS[0]), FOLDS[1], len(rest))
        # A lone sample of a class must train in every fold.
        holders = count((tuple(set(unit.strata)) for unit in rest), len(self.words))
        free = [unit for unit in rest if all(holders[stratum] > 1 for stratum in unit.strata)]
        if len(free) < number:
            raise _too_small(_size(rest) + _size(test), self.grouped)
        parts = self._divide(free, [1 / number] * number, "folds", [0] * number)
        folds = []
        for fold in range(number):
            val = [unit for unit, part in zip(free, parts, strict=True) if part == fold]
            chosen = {unit.ids for unit in val}
            folds.append(Fold(train=_ids(u for u in rest if u.ids not in chosen), val=_ids(val)))
        sizes = sorted({len(fold.val) for fold in folds})
        each = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else f"{sizes[0]}"
        sentence = (
            f"{_size(rest)} samples train and validate in turn ({number} folds, {each} validate), "
            f"{_size(test)} test: {said}, so validation is repeated and a score is that of all folds"
        )
        return self._splits("repeated", sentence, folds, test)

    def _one_fold(self, train: list[_Unit], val: list[_Unit], test: list[_Unit], kind: str, said: str) -> Splits:
        sentence = f"{_size(train)} train, {_size(val)} validate, {_size(test)} test: {said}"
        return self._splits(kind, sentence, [Fold(train=_ids(train), val=_ids(val))], test)

    def _splits(self, kind: str, sentence: str, folds: list[Fold], test: list[_Unit]) -> Splits:
        if kind != "given":
            sentence += f"; stratified by seed {self.seed}"
        if self.grouped:
            sentence += "; no group is in two parts"
        elif self.twins:
            one = "copy stays with its original"
            sentence += f"; {self.twins} identical {one if self.twins == 1 else 'copies stay with their originals'}"
        if self.near:
            sentence += f"; {self.near} texts that differ in signs, spaces or capitals alone stay with their like"
        sentence += self.kin.said
        return Splits(seed=self.seed, kind=kind, sentence=sentence + ".", folds=tuple(folds), test=_ids(test))

    def _carve(
        self, units: list[_Unit], fraction: float, purpose: str, keep: int = 1
    ) -> tuple[list[_Unit], list[_Unit]]:
        """(what stays, what is carved off). Of each class `keep` samples stay, then one is carved off, if there are so
        many."""
        if len(units) < 2:
            raise _too_small(_size(units), self.grouped)
        parts = self._divide(units, [1 - fraction, fraction], purpose, [keep, 1])
        ensure_strata(parts, [unit.strata for unit in units], len(self.words), 0)
        stay = [unit for unit, part in zip(units, parts, strict=True) if part == 0]
        return stay, [unit for unit, part in zip(units, parts, strict=True) if part == 1]

    def _units(self, samples: list[Sample], digests: list[str]) -> list[_Unit]:
        """Samples joined by group, digest and kin, in the order of their first id."""
        first: dict[str, int] = {}
        leader = list(range(len(samples)))

        def find(i: int) -> int:
            while leader[i] != i:
                leader[i] = leader[leader[i]]
                i = leader[i]
            return i

        for i, (sample, digest) in enumerate(zip(samples, digests, strict=True)):
            joining = (f"bytes {digest}" if digest else "", f"group {sample.group}" if sample.group else "")
            for key in (*joining, *self.kin.keys.get(sample.id, ())):
                if key:
                    a, b = sorted((find(first.setdefault(key, i)), find(i)))
                    leader[b] = a
        members: dict[int, list[str]] = defaultdict(list)
        for i, sample in enumerate(samples):
            members[find(i)].append(sample.id)
        return [_Unit(tuple(ids), tuple(self.stratum[i] for i in ids)) for _, ids in sorted(members.items())]

    def _count(self, units: Iterable[_Unit]) -> Array:
        return count((unit.strata for unit in units), len(self.words))

    def _divide(self, units: list[_Unit], fractions: list[float], purpose: str, least: list[int]) -> Array:
        # One stream per purpose: drawing the test part never depends on how validation is drawn.
        rng = np.random.default_rng([self.seed, *purpose.encode()])
        return divide([unit.strata for unit in units], len(self.words), fractions, rng, least)


def _require(train: list[_Unit], val: list[_Unit], test: list[_Unit], given: bool) -> None:
    total = _size(train) + _size(val) + _size(test)
    if not train:
        what = "the training part has no usable samples" if given else "there are no usable samples"
        hint = "Files that are also in validation or test were left out of training." if given else ""
        raise DataError(f"there must be samples to train on, but {what}.", hint)
    if total < FEWEST_SAMPLES:
        raise _too_small(total, False)
    if not given and len(train) < 3:
        raise DataError(
            f"training, validation and test need a group each, but there are {len(train)} different groups or files.",
            "Choose another --group-col, or give --val and --test.",
        )


def _too_small(total: int, grouped: bool) -> DataError:
    kind = "groups are too few or too uneven" if grouped else "samples are too few"
    return DataError(
        f"there must be at least {FEWEST_SAMPLES} different samples, 2 or more in each class, to train, validate and "
        f"test, but the {kind} ({total} sample{'s' if total != 1 else ''}).",
        "Add samples; 30 or more in each class give scores that mean something.",
    )


def _size(units: Iterable[_Unit]) -> int:
    return sum(len(unit.ids) for unit in units)


def _ids(units: Iterable[_Unit]) -> tuple[str, ...]:
    return tuple(sorted(name for unit in units for name in unit.ids))
