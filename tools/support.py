"""What works where, for the documentation: every task and every word of the vocabulary on every backend.

Asked of the plugins that lie in this repository, not of those that happen to be installed, so that the page is the same
on every machine. No framework is imported for it.
"""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pluggy

from autoft import compose, hookspecs, vocab
from autoft.contracts import Backend, Task
from autoft.records import ModelCard, Output, Problem, Schema
from autoft.registry import GROUP, Plugin, Registry

ROOT = Path(__file__).resolve().parents[1]
FIELDS = ("image", "audio", "text", "columns")
"""Inputs that a network may take."""


def matrix() -> None:
    """A table of tasks, and one of words, with a column for each backend."""
    registry = shipped()
    backends: list[Backend] = [registry.get("backend", entry.name) for entry in registry.entries("backend")]
    _table(["task", *(f"`{backend.name}`" for backend in backends)], _tasks(registry, backends))
    print()
    _table(["word", *(f"`{backend.name}`" for backend in backends)], _words(backends))


def shipped() -> Registry:
    """A registry of the plugins in this repository."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = []
    for file in sorted(ROOT.glob("plugins/*/pyproject.toml")):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        sys.path.append(str(file.parent))
        for name, module in project["entry-points"][GROUP].items():
            manager.register(importlib.import_module(module), name)
            plugins.append(Plugin(name, module, project["name"], ""))
    return Registry(manager, tuple(plugins))


def _tasks(registry: Registry, backends: list[Backend]) -> Iterator[list[str]]:
    for entry in registry.entries("task"):
        task: Task = registry.get("task", entry.name)
        ways = task.formulations(Schema(task=task.name, classes=("a", "b")))
        yield [f"`{task.name}`", *(_formulations(backend, compose.modalities(task), ways) for backend in backends)]


def _formulations(backend: Backend, modalities: Sequence[str], ways: Sequence[Problem]) -> str:
    able = [way.name for way in ways if _able(backend, way, modalities)]
    return ", ".join(able) or "no"


def _words(backends: list[Backend]) -> Iterator[list[str]]:
    for field in FIELDS:
        yield [f"input `{field}`", *(_answer(b, _problem(field)) for b in backends)]
    for kind, words in (("head", vocab.HEADS), ("loss", vocab.LOSSES), ("post", vocab.POSTS)):
        for word in words:
            yield [f"{kind} `{word}`", *(_answer(b, _problem(**{kind: word})) for b in backends)]

    for word in sorted({word for backend in backends for word in getattr(backend, "abilities", ())}):
        able = ("yes" if word in getattr(backend, "abilities", ()) else "no" for backend in backends)
        yield [f"ability `{word}`", *able]


def _answer(backend: Backend, problem: Problem) -> str:
    return "yes" if _able(backend, problem, vocab.TAKEN_BY[problem.inputs[0]]) else "no"


def _able(backend: Backend, problem: Problem, modalities: Sequence[str]) -> bool:
    return not all(backend.supports(problem, _card(backend, modality)) for modality in modalities)


def _problem(field: str = "image", head: str = "pooled", loss: str = "cross_entropy", post: str = "softmax") -> Problem:
    output = Output(name="label", head=head, size=2, loss=loss, post=post, target="label")
    return Problem(name="any", inputs=(field,), outputs=(output,))


def _card(backend: Backend, modality: str) -> ModelCard:
    """A network that has everything, so that the answer is the backend's."""
    return ModelCard(name="any", backend=backend.name, modality=modality, heads=vocab.HEADS, native=("boxes",))


def _table(header: list[str], rows: Iterator[list[str]]) -> None:
    for row in (header, ["---"] * len(header), *rows):
        print(f"| {' | '.join(row)} |")
