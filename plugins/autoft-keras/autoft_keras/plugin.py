"""What this distribution offers to autoft. Imported on every start, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable

from autoft.api import Entry, hookimpl


@hookimpl
def autoft_backends() -> Iterable[Entry]:
    yield Entry(name="keras", target="autoft_keras.backend:KerasBackend", summary="Keras 3 on TensorFlow")


@hookimpl
def autoft_models() -> Iterable[Entry]:
    yield Entry(
        name="keras-autoft", target="autoft_keras.sources:AutoftSource", summary="Small networks of autoft itself"
    )
    yield Entry(
        name="keras",
        target="autoft_keras.sources:KerasSource",
        summary="Classifiers of keras.applications, weights from their own addresses",
    )
    yield Entry(
        name="kerashub",
        target="autoft_keras.sources:KerasHubSource",
        summary="Image classifiers of KerasHub, weights from Kaggle",
    )
    yield Entry(
        name="keras-local", target="autoft_keras.local:LocalSource", summary="A .keras file or folder, or NAME@FILE"
    )
