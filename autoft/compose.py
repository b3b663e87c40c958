"""Brings a task, a network and a backend together: the problem they agree on, or the reason why not."""

from __future__ import annotations

from autoft.contracts import Backend, Task
from autoft.errors import AutoftError
from autoft.records import ModelCard, Problem, Record, Schema
from autoft.registry import Registry
from autoft.vocab import TAKEN_BY


class Cell(Record):
    """One cell of the support matrix. An empty reason means that it works."""

    task: str
    backend: str
    model: str
    formulation: str
    reason: str


def modalities(task: Task) -> tuple[str, ...]:
    """Of the networks that can take a task's samples: its own, and others that its inputs can be shown to."""
    return tuple(dict.fromkeys([task.modality, *(m for field in task.inputs[:1] for m in TAKEN_BY.get(field, ()))]))


def agree(task: Task, schema: Schema, backend: Backend, card: ModelCard) -> tuple[Problem | None, str]:
    """The first of the task's formulations that the backend supports with this network, or None and why not."""
    if card.modality not in modalities(task):
        return None, f"{task.name} needs a network for {task.modality}, but {card.name} takes {card.modality}"
    reasons = []
    for problem in task.formulations(schema):
        reason = backend.supports(problem, card)
        if not reason:
            return problem, ""
        reasons.append(f"{problem.name}: {reason}")
    return None, "; ".join(reasons) or f"{task.name} offers no formulation"


def fits(registry: Registry, task: Task, card: ModelCard) -> bool:
    """Whether a network can be trained for a task, whatever the classes. Where its backend is not installed, only what
    it takes is compared."""
    if card.modality not in modalities(task):
        return False
    try:
        backend: Backend = registry.get("backend", card.backend)
    except AutoftError:
        return True
    return agree(task, _some(task), backend, card)[0] is not None


def _some(task: Task) -> Schema:
    """Of data that might be: what is supported does not depend on names."""
    return Schema(task=task.name, classes=("a", "b"))


def supported(task: Task, schema: Schema, backend: Backend, card: ModelCard) -> list[Problem]:
    """All of the task's formulations that the backend supports with this network, best first."""
    return [problem for problem in task.formulations(schema) if not backend.supports(problem, card)]


def matrix(registry: Registry) -> list[Cell]:
    """Every task with one network of every source, and what they agree on."""
    cells = []
    for task_entry in registry.entries("task"):
        task: Task = registry.get("task", task_entry.name)
        for card in example_cards(registry):
            try:
                problem, reason = agree(task, _some(task), registry.get("backend", card.backend), card)
            except AutoftError as error:  # the backend is not installed, or its import fails: a gap like any other
                problem, reason = None, error.message
            cells.append(
                Cell(
                    task=task.name,
                    backend=card.backend,
                    model=card.name,
                    formulation=problem.name if problem else "",
                    reason=reason,
                )
            )
    return cells


def example_cards(registry: Registry) -> list[ModelCard]:
    """The first card of each modality of each source."""
    cards: dict[tuple[str, str], ModelCard] = {}
    for entry in registry.entries("models"):
        for card in registry.get("models", entry.name).catalogue():
            cards.setdefault((entry.name, card.modality), card)
    return list(cards.values())
