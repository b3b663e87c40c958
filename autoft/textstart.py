"""Where a network that adds up vectors of hashed words begins: at the linear solution on its training texts.

Its sum, times its head, is linear in the texts' terms, so what a linear model on TF-IDF weights knows is known to the
network before its first step; steps then go on from there (linear probe, then fine-tune: Kumar et al., ICLR 2022).

With weights x of a text's terms (`texthash.weighed`), it minimises

    mean loss + strength / 2 * |solution|^2        (the bias is free)

by L-BFGS. What a term counts in x is the geometric mean of how it tells classes apart (`texthash.telling`) and of how
rare it is; where numbers are wanted, and where nothing is solved, how rare it is. The strength is the one that does
best on a part of the training texts that is left out first, of those weights as well: they are read off the labels, and
on texts that they have seen the weakest strength would be the best. Then all are used, as far as there is time and
memory. Of long texts, each of which has thousands of terms, these may be few: a solution on a small part of them is
worse than steps over all, so then there is none.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from autoft.heads import Head
from autoft.heads.encode import Targets, encode, measure, refusal
from autoft.heads.validate import spread
from autoft.records import Output, Problem
from autoft.texthash import rarity
from autoft.textproblem import Late, TextProblem
from autoft.textterms import Terms, enough
from autoft.until import seconds_left

if TYPE_CHECKING:
    from autoft.contracts import Array, Arrays, Stop
else:
    Array = Any

STRENGTHS: Final = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
"""Tried from the strongest on, in units of 1 / (number of texts): C = 1 / strength of other libraries."""
USUAL: Final = 1.0
"""Where none is compared."""
PARTS: Final = 5
"""One of them is left out."""
MOST_TERMS: Final = 24_000_000
"""Of all texts that are solved on, for the sake of memory: about half a gigabyte."""
SHARE: Final = 0.3
"""Of the time that is left, for a solution."""
CUT: Final = 0.6
"""Of the time that is left, after which a solution is taken as far as it has come: the machine became slower."""
ENOUGH: Final = 0.5
"""Of the training texts, at least, that are solved on."""
QUICK: Final = 0.1
"""Of the time of a solution, above which there is one of a single strength on all texts where there is no time for
`ENOUGH` of them: fewer evaluations, not fewer texts."""
MOST_NUMBERS: Final = 2_000_000
"""Of a solution, which are columns times classes: L-BFGS holds some two dozen arrays of that size in single precision.
Of more, those columns are left out which the fewest texts have."""
FEWEST_COLUMNS: Final = 1_000
"""A solution on fewer is none."""
HEAD: Final = 1.0
"""Size of the head's weights."""
ROUGH, FINE = 1e-4, 2e-5
"""Of the scaled gradient: while strengths are compared, and in the end."""
REMEMBERED: Final = 4
"""Solutions: trials differ in how many words of a text they read, and from which end."""
_remembered: dict[bytes, WordStart] = {}


class Few(Exception):
    """In words: too few of the texts can be solved on."""


class Start(NamedTuple):
    """A solution for the whole table."""

    head: Head
    """Weights float32 (size, 2 * buckets) and bias."""
    rare: Array
    """float32 (2 * buckets,): what it makes each number count."""
    strength: float
    loss: float
    """Mean over the texts that it was solved on."""
    said: str = ""
    """That these were not all texts, or not all numbers, or that time ended it."""
    cut: bool = False
    """Whether there was no time for a better one: it ended this one, or one strength alone was tried."""


class WordStart(NamedTuple):
    """What a network of hashed words learns from its training texts before the first step."""

    rare: Array
    """float32 (2 * buckets,): what each number counts, see `texthash.weighed`."""
    table: Array | None
    """float32 (2 * buckets, r), the first columns of its table, r at most its width; None where nothing was solved."""
    head: tuple[Array, Array] | None
    """Weights float32 (size, width) and bias (size,) of the head that goes with it."""
    loss: float
    """Mean over the texts, of table and head."""
    said: str = ""
    """What the user should know: what was solved on, where that is not all, or why nothing was."""
    cut: bool = False
    """Whether there was no time for a better solution: it ended this one, or one strength alone was tried."""


def word_start(
    rows: Sequence[Array], arrays: Arrays, problem: Problem, buckets: int, width: int, stop: Stop
) -> WordStart:
    """What `rows`, the `texthash.terms` of all training texts, say.

    Trials of a search share their texts, so the last few solutions are remembered: they must not be written to. Those
    are not for which there was too little time: a later trial may have more.

    Args:
        arrays: encoded targets by key.
        width: of the table; 0 solves nothing.
    """
    if not width:
        return _word_start(rows, arrays, problem, buckets, width, stop)
    key = _key(rows, arrays, problem, (buckets, width))
    if key in _remembered:
        return _remembered[key]
    found = _word_start(rows, arrays, problem, buckets, width, stop)
    if found.table is not None and not found.cut:  # else there may have been no time
        while len(_remembered) >= REMEMBERED:
            _remembered.pop(next(iter(_remembered)))
        _remembered[key] = found
    return found


def _key(rows: Sequence[Array], arrays: Arrays, problem: Problem, sizes: tuple[int, int]) -> bytes:
    """Of everything that the solution depends on."""
    state = hashlib.blake2b(repr((problem.outputs, sizes, len(rows))).encode(), digest_size=16)
    for output in problem.outputs:
        state.update(np.ascontiguousarray(arrays[output.target]).tobytes())
    for row in rows:
        state.update(len(row).to_bytes(8, "big") + np.ascontiguousarray(row).tobytes())
    return state.digest()


def _word_start(
    rows: Sequence[Array], arrays: Arrays, problem: Problem, buckets: int, width: int, stop: Stop
) -> WordStart:
    found, said = None, ""
    if width and len(problem.outputs) == 1:
        (output,) = problem.outputs
        try:
            found = begin(rows, arrays[output.target], output, buckets, stop)
        except Few as few:
            said = str(few)
    if found is None:
        return WordStart(rarity(rows, buckets), None, None, float("nan"), said)
    left, right = factors(found.head, width)
    head = np.zeros((len(left), width), np.float32)
    head[:, : left.shape[1]] = left * HEAD
    return WordStart(found.rare, right.T / HEAD, (head, found.head.bias), found.loss, found.said, found.cut)


def begin(rows: Sequence[Array], targets: Array, output: Output, buckets: int, stop: Stop) -> Start | None:
    """The solution for these texts, or None where this output has none, or time is over.

    Args:
        rows: `texthash.terms` of each text.
        targets: as `Task.encode` gives them for this output.

    Raises:
        Few: the texts that there is time or memory for are not `ENOUGH`, or the columns not `FEWEST_COLUMNS`.
    """
    if refusal(output):
        return None
    goal = encode(output, targets)
    kept = np.flatnonzero(goal.kept)
    rare = rarity([rows[row] for row in kept.tolist()], buckets)
    chosen = _affordable(kept, rows, MOST_TERMS)
    if not len(chosen):
        return None
    _refuse_few(len(chosen), len(kept), "memory")
    problem = _problem(chosen, rows, goal, rare, stop)
    why, share = "memory", SHARE * seconds_left(stop) / problem.seconds()
    quick = share < ENOUGH
    if quick and share < QUICK:
        raise Few("training begins without the linear solution, as there is no time for it")
    if share < 1 and not quick:
        why, total = "time", sum(len(rows[row]) for row in chosen)
        chosen = _affordable(chosen, rows, int(share * total))
        problem = _problem(chosen, rows, goal, rare, stop)
    try:
        found = _single(problem) if quick else _solved(problem, targets[chosen])
    except Late:
        return None
    said = [f"the linear solution is that of {len(chosen):,} of {len(kept):,} texts, as there is {why} for no more"]
    said = said * (len(chosen) < len(kept)) + [problem.said] * bool(problem.said)
    said += ["there was time to try one strength of the linear solution"] * quick
    said += ["time ended the linear solution before its end"] * found.cut
    return found._replace(said="; ".join(said), cut=found.cut or quick)


def _refuse_few(count: int, total: int, why: str) -> None:
    if count < ENOUGH * total:
        raise Few(
            f"training begins without the linear solution: there is {why} for {count:,} of {total:,} texts in it, and "
            "steps see all of them"
        )


def factors(head: Head, rank: int) -> tuple[Array, Array]:
    """The weights (size, buckets) as `left` (size, r) times `right` (r, buckets), with r at most `rank`: exact where
    that is enough, else the nearest there is."""
    weights = head.weights
    if len(weights) <= rank:
        return np.eye(len(weights), dtype=np.float32), weights
    _, vectors = np.linalg.eigh(weights.astype(np.float64) @ weights.T.astype(np.float64))
    left = vectors[:, ::-1][:, :rank].astype(np.float32)
    return left, left.T @ weights


def _affordable(rows: Array, numbers: Sequence[Array], most: int) -> Array:
    """As many of the rows as have `most` terms together, sorted; at least one."""
    order = np.random.default_rng(0).permutation(rows)
    total = np.cumsum([len(numbers[row]) for row in order])
    return np.sort(order[: max(1, int(np.searchsorted(total, most, "right")))])


def _problem(chosen: Array, rows: Sequence[Array], goal: Targets, rare: Array, stop: Stop) -> TextProblem:
    """That of the chosen texts, on as many columns as its solution may have.

    Raises:
        Few: these are hardly any.
    """
    places = np.searchsorted(np.flatnonzero(goal.kept), chosen)
    goal = Targets(goal.kept[chosen], goal.values[places], goal.weights[places], goal.loss)
    numbers, size = [rows[row] for row in chosen], goal.values.shape[1]
    least, there, every = enough(numbers, MOST_NUMBERS // size)
    if there < min(every, FEWEST_COLUMNS):
        raise Few(
            f"training begins without the linear solution: with {size:,} outputs there is memory for {there:,} of "
            f"{every:,} words, runs and pieces of words in it"
        )
    said = f"the linear solution is on {there:,} of {every:,} words, runs and pieces of words: with {size:,} outputs "
    said += f"those in fewer than {least:,} texts are left out"
    # A stop that tells how long there is left may take each question for a step of training.
    left = seconds_left(stop)
    late = stop if math.isinf(left) else lambda: seconds_left(stop) <= (1 - CUT) * left
    return TextProblem(Terms(numbers, least), goal, rare, late, said if there < every else "")


def _solved(problem: TextProblem, targets: Array) -> Start:
    every = np.ones(problem.terms.n)
    inside = _inside(targets)
    strength, found = _strength(problem, inside)
    rare = problem.weigh(inside if problem.cut else every)
    if not problem.cut:
        found = problem.solve(strength, found, every, FINE)
    return _start(problem, found, rare, strength)


def _single(problem: TextProblem) -> Start:
    """A rough solution of the usual strength, where there is time for no other."""
    every = np.ones(problem.terms.n)
    rare = problem.weigh(every)
    return _start(problem, problem.solve(USUAL, problem.nothing(), every, ROUGH), rare, USUAL)


def _start(problem: TextProblem, found: Array, rare: Array, strength: float) -> Start:
    """The solution on all numbers; terms must count as they did for it."""
    goal = problem.goal
    loss = measure(goal.loss, problem.raw(found), goal.values, goal.weights)
    weights = np.zeros((found.shape[1], len(rare)), np.float32)
    weights[:, problem.terms.columns] = found[1:].T
    return Start(Head(weights, found[0].astype(np.float32)), rare, strength, loss, cut=problem.cut)


def _inside(targets: Array) -> Array:
    """Which texts strengths are solved on (n,), 0 for those that are left out."""
    inside = np.ones(len(targets))
    if len(targets) >= 2 * PARTS:
        inside[spread(targets, PARTS)[0]] = 0
    return inside


def _strength(problem: TextProblem, inside: Array) -> tuple[float, Array]:
    """The best strength on the texts that are left out, and its solution; the losses fall, then rise."""
    out, near, best = np.flatnonzero(inside == 0), problem.nothing(), (float("inf"), USUAL, problem.nothing())
    if not len(out):
        return best[1], near
    problem.weigh(inside)
    for strength in STRENGTHS:
        if problem.cut:
            break
        near = problem.solve(strength, near, inside, ROUGH)
        raw = problem.raw(near)[out]
        loss = measure(problem.goal.loss, raw, problem.goal.values[out], problem.goal.weights[out])
        if loss >= best[0]:
            break
        best = (loss, strength, near)
    return best[1], best[2]
