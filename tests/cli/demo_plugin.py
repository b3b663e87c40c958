"""A plugin with a command, two tasks and a source of models, for the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import typer

from autoft.api import Entry, ModelCard, Output, Problem, Schema, hookimpl

greet = typer.Typer()


@greet.command()
def _greet(name: str, fail: bool = False) -> None:
    """Greet somebody."""
    if fail:
        raise ValueError(f"no greeting for [{name}]")
    print(f"hello {name}")


class Task:
    name = "demo"
    modality = "image"
    inputs = ("image",)

    def formulations(self, schema: Schema) -> list[Problem]:
        output = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
        return [Problem(name="demo", inputs=("image",), outputs=(output,))]


class Source:
    prefix = "demo"

    def catalogue(self) -> Sequence[ModelCard]:
        return [
            ModelCard(
                name="demo/[big]", backend="torch", modality="image", params=11_200_000, licence="mit", offline=True
            ),
            ModelCard(name="demo/loud", backend="torch", modality="audio", params=900),
            ModelCard(name="demo/boxed", backend="torch", modality="image", heads=("boxes",), native=("boxes",)),
        ]

    def resolve(self, name: str) -> ModelCard | None:
        return None

    def reachable(self) -> str:
        return "no route to host"

    def fetch(self, card: ModelCard) -> ModelCard:
        return card


@hookimpl
def autoft_commands() -> Iterable[Entry]:
    yield Entry(name="greet", target=f"{__name__}:greet", summary="Say hello")
    yield Entry(name="env", target=f"{__name__}:greet", summary="Takes a name that is taken")


@hookimpl
def autoft_tasks() -> Iterable[Entry]:
    yield Entry(name="demo-one", target=f"{__name__}:Task", summary="The first")
    yield Entry(name="demo-two", target=f"{__name__}:Task", summary="The second")


@hookimpl
def autoft_models() -> Iterable[Entry]:
    yield Entry(name="demo", target=f"{__name__}:Source", summary="Networks of the demo")
