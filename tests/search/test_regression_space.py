"""What a search of numbers varies: formulations, and nothing that is about classes."""

from __future__ import annotations

import pytest

from autoft.errors import UsageError
from autoft.pipeline import fitting
from autoft.records import Output, Param, Problem
from autoft.search import families, headgrid
from autoft.search.space import Space


def ways(*losses: str) -> dict[str, dict[str, Problem]]:
    def problem(loss: str) -> Problem:
        output = Output(name="value", head="pooled", size=1, loss=loss, post="identity", target="value")
        return Problem(name=loss, inputs=("image",), outputs=(output,))

    return {"a/b": {loss: problem(loss) for loss in losses}}


def space(*more: Param) -> Space:
    words = (
        Param(key="model", choices=("a/b",)),
        Param(key="freeze", choices=(0.0, 1.0)),
        Param(key="label_smoothing", choices=(0.0, 0.1)),
        Param(key="class_weights", choices=("none", "balanced")),
    )
    return (*words, *families.additions(), *more)


def test_numbers_have_no_logistic_heads_and_no_classes() -> None:
    fitted = {param.key: param for param in fitting.fit(space(), ways("mse", "huber"))}
    assert fitted["head_init"].choices == ("random", "ridge")
    assert fitted["head_strength"].when == {"head_init": ("ridge",)}
    assert fitted["formulation"].choices == ("mse", "huber") and fitted["formulation"].default == "mse"
    assert not {"label_smoothing", "class_weights"} & fitted.keys()
    kinds = {head["head_init"] for head in headgrid.heads(tuple(fitted.values()), "a/b")}
    assert kinds == {"ridge"}


def test_classes_keep_theirs() -> None:
    fitted = {param.key: param for param in fitting.fit(space(), ways("cross_entropy"))}
    assert fitted["head_init"].choices == ("random", "ridge", "logistic")
    assert {"label_smoothing", "class_weights"} <= fitted.keys()


def test_what_is_about_classes_is_refused_in_words() -> None:
    asked = Param(key="class_weights", choices=("balanced",))
    with pytest.raises(UsageError, match="class_weights is part of cross_entropy"):
        fitting.refuse((asked,), ways("mse"))
    fitting.refuse((Param(key="class_weights", choices=("none",)),), ways("mse"))
