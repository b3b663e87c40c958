"""The fakes as a plugin: `AUTOFT_PLUGINS=autoft.testing.plugin` lets a search run without any framework."""

from __future__ import annotations

from collections.abc import Iterable

from autoft.hookspecs import hookimpl
from autoft.records import Entry


@hookimpl
def autoft_tasks() -> Iterable[Entry]:
    yield Entry(name="toy", target="autoft.testing.toy_task:ToyTask", summary="Tiny image classification, for tests")


@hookimpl
def autoft_backends() -> Iterable[Entry]:
    yield Entry(
        name="numpy", target="autoft.testing.numpy_backend:NumpyBackend", summary="A network in numpy, for tests"
    )


@hookimpl
def autoft_models() -> Iterable[Entry]:
    yield Entry(
        name="numpy", target="autoft.testing.numpy_backend:NumpyModels", summary="The network of the numpy backend"
    )
