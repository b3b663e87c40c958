"""What is searched for one kind of problem: its formulations, and nothing that it has no use for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from autoft import compose, scoring
from autoft.contracts import Task
from autoft.errors import UsageError
from autoft.pipeline.models import Candidate
from autoft.recipe import Recipe
from autoft.records import Param, Problem, Scalar, Schema
from autoft.registry import Registry
from autoft.search.space import DEFAULTS, Space, listed, resolve, text
from autoft.vocab import did_you_mean

POOLED: Final[Mapping[str, Scalar]] = {"mixup": 0.0, "cutmix": 0.0, "head_init": "random", "views": 0}
"""What only pooled heads know, and the value that leaves it out."""
SOLVED: Final[Mapping[str, tuple[Scalar, ...]]] = {
    "freeze": (1.0,),
    "head_width": (0,),
    "head_init": ("ridge", "logistic"),
}
"""What a trial must have whose head is solved."""
WITH: Final = {"head_strength": "head_init"}
"""What goes with another key."""

USES: Final[Mapping[str, tuple[tuple[str, ...], Scalar]]] = {
    "class_weights": (("cross_entropy", "ce_dice"), "none"),
    "label_smoothing": (("cross_entropy", "ce_dice", "binary_cross_entropy"), 0.0),
}
"""Losses that a parameter is part of, and its value where there are none."""
CHANCES: Final = ("cross_entropy", "binary_cross_entropy", "focal")
"""Losses whose heads have a logistic solution beside the ridge one."""


def problems(
    registry: Registry, task: Task, schema: Schema, candidates: Sequence[Candidate]
) -> dict[str, dict[str, Problem]]:
    """For each candidate's key every formulation that its backend supports, best first, by name."""
    found = {}
    for candidate in candidates:
        backend = registry.get("backend", candidate.card.backend)
        supported = compose.supported(task, schema, backend, candidate.card)
        found[candidate.key] = {problem.name: problem for problem in supported}
    return found


def fit(space: Space, ways: Mapping[str, Mapping[str, Problem]]) -> Space:
    """The space without what these problems cannot use, and with the choice of their formulation."""
    if _any_of_places(ways):
        space = tuple(param for param in space if WITH.get(param.key, param.key) not in POOLED)
    losses = _losses(ways)
    if not losses & {*CHANCES}:
        space = tuple(_without(param, "head_init", "logistic") for param in space)
    space = tuple(p for p in space if p.key not in USES or losses & {*USES[p.key][0]})
    first = next(iter(ways.values()))
    shared = [name for name in first if all(name in names for names in ways.values())]
    if len(shared) > 1:
        space = (*space, Param(key="formulation", choices=tuple(shared), default=shared[0]))
    return space


def refuse(space: Space, ways: Mapping[str, Mapping[str, Problem]]) -> None:
    """Refuse what the user asked for and these problems cannot use.

    Raises:
        UsageError: names the parameter.
    """
    for param in space:
        values = param.choices if param.kind == "choice" else (param.low, param.high)
        if param.key in POOLED and _any_of_places(ways) and any(value != POOLED[param.key] for value in values):
            raise UsageError(f"{param.key} needs an output for the whole image, but this task's are places in it.")
        if param.key in USES and (losses := _losses(ways)).isdisjoint(USES[param.key][0]):
            _refuse_useless(param.key, values, losses)
        if param.key == "formulation":
            known = list(dict.fromkeys(name for names in ways.values() for name in names))
            for value in values:
                if value and value not in known:
                    near = did_you_mean(str(value), known)
                    raise UsageError(f"formulation must be one of {', '.join(known)}, but got '{value}'.{near}")


def refuse_mixed(space: Space, rows: Sequence[Mapping[str, Scalar]], *, single: bool) -> None:
    """Refuse values that are right by themselves and wrong together, before anything is trained.

    Args:
        rows: configurations that the user lists.
        single: that of trial 0 is the only one.

    Raises:
        UsageError: says which law they break.
    """
    for row in rows or [{}]:
        Recipe.of(resolve(space, row))
    if single or rows or not any("solve" in param.choices for param in space if param.key == "optimizer"):
        return
    for key, fits in SOLVED.items():  # values of a search are drawn with each other
        if not _every_value(space, key) <= {*fits}:
            raise UsageError(
                f"optimizer=solve needs {key}={' or '.join(map(text, fits))} in every trial, but {key} has other "
                "values in this search.",
                "Fix freeze=1, head_width=0 and head_init, or leave optimizer out: searches solve heads unasked.",
            )


def _every_value(space: Space, key: str) -> set[Scalar]:
    """All that a parameter can be in a trial, its default included where it may be left out; None for a range."""
    variants = [param for param in space if param.key == key]
    found = {value for param in variants for value in listed(param) or (None,)}
    return found if any(not param.when for param in variants) else {*found, DEFAULTS[key]}


def _any_of_places(ways: Mapping[str, Mapping[str, Problem]]) -> bool:
    return any(not scoring.is_pooled(problem) for names in ways.values() for problem in names.values())


def _refuse_useless(key: str, values: Sequence[Scalar], losses: set[str]) -> None:
    uses, without = USES[key]
    if any(value != without for value in values):
        raise UsageError(f"{key} is part of {', '.join(uses)}, but this task's losses are {', '.join(sorted(losses))}.")


def _losses(ways: Mapping[str, Mapping[str, Problem]]) -> set[str]:
    every = (problem for names in ways.values() for problem in names.values())
    return {output.loss for problem in every for output in problem.outputs}


def _without(param: Param, key: str, value: Scalar) -> Param:
    """The parameter without one of its choices, if it is the one named."""
    if param.key == key:
        return replace(param, choices=tuple(choice for choice in param.choices if choice != value))
    if value in param.when.get(key, ()):
        return replace(param, when={**param.when, key: tuple(v for v in param.when[key] if v != value)})
    return param
