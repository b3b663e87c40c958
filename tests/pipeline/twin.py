"""A plugin with two backends: the numpy one under two names, with one network in common and one that only one has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from autoft.api import Entry, Job, ModelCard, UsageError, hookimpl
from autoft.testing.numpy_backend import CARD, NumpyBackend, NumpyModels

LOG = "AUTOFT_TEST_TWIN_LOG"
"""Variable with the file to which builds are noted: backend, process."""


@hookimpl
def autoft_backends() -> Iterable[Entry]:
    yield Entry(name="first", target=f"{__name__}:First", aliases=("one",), summary="The numpy backend, watched")
    yield Entry(name="twin", target=f"{__name__}:Twin", summary="The same under another name")


@hookimpl
def autoft_models() -> Iterable[Entry]:
    yield Entry(name="pair-first", target=f"{__name__}:FirstModels", summary="pair/both")
    yield Entry(name="pair-twin", target=f"{__name__}:TwinModels", summary="pair/both and twin/only")


class First(NumpyBackend):
    name = "first"

    def build(self, job: Job) -> Any:
        note(self.name)
        return super().build(job)


class Twin(First):
    name = "twin"


class FirstModels(NumpyModels):
    """`pair/both` of the first backend, and any path that ends in `.one`."""

    prefix = "pair"
    names: tuple[str, ...] = ("pair/both",)
    backend = "first"
    suffix = ".one"

    def catalogue(self) -> Sequence[ModelCard]:
        return tuple(self.card(name) for name in self.names)

    def card(self, name: str) -> ModelCard:
        # The number of parameters would say that all of them are one architecture.
        return msgspec.structs.replace(CARD, name=name, backend=self.backend, params=0)

    def resolve(self, name: str) -> ModelCard | None:
        if name.startswith("./"):
            if not name.endswith(self.suffix):
                raise UsageError(f"a file of {self.backend} must end in {self.suffix}, but got '{name}'.")
            return self.card(name)
        if name.startswith("pair/") and name not in self.names:
            raise UsageError(f"pair has no network '{name}'.", "It has pair/both.")
        return self.card(name) if name in self.names else None


class TwinModels(FirstModels):
    names = ("pair/both", "twin/only")
    backend = "twin"
    suffix = ".two"


def note(backend: str) -> None:
    if place := os.environ.get(LOG):
        with Path(place).open("a") as file:
            file.write(f"{backend} {os.getpid()}\n")
