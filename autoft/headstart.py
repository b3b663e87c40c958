"""Heads of a trial that begin at their solution on the frozen features, or that are nothing but it (`head_init`).

To start from the solution, then fine-tune, keeps features that a random head would first distort: LP-FT (Kumar et al.,
ICLR 2022).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autoft import heads
from autoft.contracts import Array, Arrays, Cuttable, Learner
from autoft.errors import TrialFailed
from autoft.recipe import Recipe
from autoft.records import Problem

FEWEST = 5
"""Rows that a part of a cross-validation must have."""


def start(learner: Learner, recipe: Recipe, problem: Problem, features: Array, targets: Arrays) -> float:
    """Fill in the heads that `recipe.head_init` names; gives their mean loss on these rows.

    Args:
        features: float32 (n, width) of the training rows, before any training.

    Raises:
        TrialFailed: the heads of this problem cannot be solved, or are not linear.
    """
    assert isinstance(learner, Cuttable)
    found = solved(recipe, problem, features, targets)
    try:
        learner.set_head(found)
    except ValueError as error:
        raise TrialFailed(f"head_init={recipe.head_init} needs linear heads: {error}", "Use head_width=0.") from error
    return _loss(found, problem, features, targets)


def left_out(recipe: Recipe, problem: Problem, features: Array, targets: Arrays) -> dict[str, Array] | None:
    """What solved heads say, after `Output.post`, of the rows that they are solved on, each row left out in turn (a
    fifth at a time for logistic heads). None where too few rows of a class leave nothing to solve or to judge.

    A small validation part says little about which of many heads is best; these rows say it without touching it.
    """
    outputs = {}
    for output in problem.outputs:
        truth = targets[output.target]
        if len(truth) < 2 * FEWEST or (truth.ndim == 1 and (truth < 0).any()):
            return None
        raw = heads.left_out(recipe.head_init, recipe.head_strength, features, truth, output)
        outputs[output.name] = heads.finish(output.post, raw)
    return outputs


def solved(recipe: Recipe, problem: Problem, features: Array, targets: Arrays) -> dict[str, heads.Head]:
    """The heads that `recipe.head_init` names, by output.

    Raises:
        TrialFailed: the heads of this problem cannot be solved.
    """
    for output in problem.outputs:
        if reason := heads.refusal(output):
            raise TrialFailed(f"head_init={recipe.head_init} cannot be: {reason}.", "Use head_init=random.")
    return {
        output.name: heads.solve(recipe.head_init, recipe.head_strength, features, targets[output.target], output)
        for output in problem.outputs
    }


def _loss(found: Mapping[str, heads.Head], problem: Problem, features: Array, targets: Arrays) -> float:
    losses = [
        output.weight * heads.loss(output, found[output.name].raw(features), targets[output.target])
        for output in problem.outputs
    ]
    return float(np.sum(losses))
