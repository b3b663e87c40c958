"""Checks of what a backend says it supports, and of its losses against the numpy reference."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from autoft import vocab
from autoft.records import Output, Problem
from autoft.testing import reference
from autoft.testing.backend_base import Array, BackendBase, train
from autoft.testing.toy_task import problem

POST = {
    "cross_entropy": "softmax",
    "binary_cross_entropy": "sigmoid",
    "focal": "sigmoid",
    "dice": "sigmoid",
    "heatmap": "sigmoid",
    "ce_dice": "argmax",
}
"""Post word that goes with a loss; identity for the rest."""


INDEXED = ("cross_entropy", "ce_dice")
"""Losses whose targets are class indices."""


class Case(NamedTuple):
    """One way to call a loss."""

    loss: str
    weights: tuple[float, ...] = ()
    smoothing: float = 0.0
    soft: bool = False
    """Targets are a distribution over classes, as mixup makes it."""
    scale: float = 2.0
    post: str = ""
    absent: bool = False
    """The last class is nowhere."""


WEIGHTS = (0.2, 1.0, 3.0, 0.8)
CASES = {
    **{loss: Case(loss) for loss in reference.REFERENCES},
    **{f"{loss} weighted": Case(loss, WEIGHTS) for loss in reference.REFERENCES},
    **{f"{loss} far": Case(loss, scale=60.0) for loss in reference.REFERENCES},
    "cross_entropy smoothed": Case("cross_entropy", smoothing=0.1),
    "cross_entropy soft": Case("cross_entropy", soft=True),
    "cross_entropy soft smoothed": Case("cross_entropy", smoothing=0.1, soft=True),
    "cross_entropy soft weighted": Case("cross_entropy", WEIGHTS, soft=True),
    "cross_entropy weighted smoothed": Case("cross_entropy", WEIGHTS, smoothing=0.1),
    "binary_cross_entropy smoothed": Case("binary_cross_entropy", smoothing=0.1),
    "dice softmax": Case("dice", post="softmax"),
    "dice absent": Case("dice", post="softmax", absent=True),
    "dice absent weighted": Case("dice", WEIGHTS, post="softmax", absent=True),
    "ce_dice absent": Case("ce_dice", absent=True),
    "ce_dice absent weighted": Case("ce_dice", WEIGHTS, absent=True),
}


def posed(loss: str, post: str = "", weights: tuple[float, ...] = (), head: str = "pooled") -> Problem:
    """The toy problem with this loss."""
    plain = problem(loss=loss, post=post or POST.get(loss, "identity"), head=head)
    return msgspec.structs.replace(plain, outputs=(msgspec.structs.replace(plain.outputs[0], class_weights=weights),))


def example(case: Case, output: Output, dense: bool = False) -> tuple[Array, Array]:
    """Raw outputs and targets, drawn once and for all."""
    rng = np.random.default_rng(7)
    shape = (6, 5, 3, output.size) if dense else (12, output.size)
    raw = rng.normal(0, case.scale, shape).astype(np.float32)
    if case.soft:
        return raw, rng.dirichlet(np.ones(output.size), shape[:-1]).astype(np.float32)
    if case.loss in INDEXED or case.absent:
        index = rng.integers(0, output.size - case.absent, shape[:-1])
        if dense:
            index[0, 0] = -1  # padding
        return raw, index
    if output.post == "identity":
        return raw, rng.normal(0, 2, shape).astype(np.float32)
    return raw, (rng.random(shape) < 0.4).astype(np.float32)


class SupportLaws(BackendBase):
    """`supports` answers every question in words."""

    def ask(self, wanted: Problem) -> str:
        reason = self.unsupported(wanted)
        assert isinstance(reason, str), f"supports must answer a string, but answered {reason!r}"
        return reason

    def test_supports_its_own_card(self) -> None:
        assert self.ask(self.problem()) == ""

    @pytest.mark.parametrize("loss", [*vocab.LOSSES, "acme:loss"])
    def test_supports_names_the_missing_loss(self, loss: str) -> None:
        reason = self.ask(posed(loss, head=self.problem().outputs[0].head))
        assert not reason or loss in reason, f"supports must name the missing word '{loss}', but said: {reason}"
        assert reason or ":" not in loss, "a vendor's word is unknown to everybody else"

    @pytest.mark.parametrize("head", [*vocab.HEADS, "acme:head"])
    def test_supports_names_the_missing_head(self, head: str) -> None:
        reason = self.ask(posed("cross_entropy", head=head))
        assert not reason or head in reason, f"supports must name the missing word '{head}', but said: {reason}"
        assert reason or ":" not in head, "a vendor's word is unknown to everybody else"

    @pytest.mark.parametrize("field", ["audio", "text", "columns", "acme:field"])
    def test_supports_names_the_missing_input(self, field: str) -> None:
        reason = self.ask(msgspec.structs.replace(self.problem(), inputs=(field,)))
        assert not reason or field in reason, f"supports must name the missing word '{field}', but said: {reason}"
        assert reason or self.card.modality in vocab.TAKEN_BY.get(field, ()), f"'{field}' is nothing to this network"

    def test_supports_never_raises(self) -> None:
        plain = self.problem()
        strange = [
            msgspec.structs.replace(plain, inputs=()),
            msgspec.structs.replace(plain, outputs=()),
            msgspec.structs.replace(plain, outputs=(msgspec.structs.replace(plain.outputs[0], size=0),)),
        ]
        for wanted in strange:
            self.ask(wanted)
        for change in (
            {"modality": "tabular"},
            {"backend": "acme"},
            {"heads": (), "native": ()},
            {"name": "acme/none", "extra": {}},
        ):
            card = msgspec.structs.replace(self.card, **change)
            assert isinstance(self.backend().supports(plain, card), str)


class LossLaws(SupportLaws):
    """Losses mean what the vocabulary says."""

    @pytest.mark.parametrize("name", CASES)
    def test_loss_matches_reference(self, name: str) -> None:
        reason = self.compare(name, "pooled")
        if reason:
            pytest.skip(reason)

    def test_dense_losses_match_reference(self) -> None:
        reasons = [self.compare(name, "dense") for name in CASES]
        if all(reasons):
            pytest.skip(reasons[0])

    def compare(self, name: str, head: str) -> str:
        """Assert that backend and reference agree; the reason in words if the backend has no such loss or head."""
        case = CASES[name]
        wanted = posed(case.loss, case.post, case.weights, head)
        reason = self.unsupported(wanted)
        if not reason:
            output = wanted.outputs[0]
            raw, targets = example(case, output, dense=head == "dense")
            mine = self.backend().loss(output, raw, targets, case.smoothing)
            right = reference.loss(output, raw, targets, case.smoothing)
            assert math.isclose(mine, right, rel_tol=1e-4, abs_tol=1e-4), f"{head} {name}: {mine}, not {right}"
        return reason

    @pytest.mark.parametrize("loss", list(reference.REFERENCES))
    def test_every_supported_loss_trains(self, loss: str) -> None:
        wanted = posed(loss)
        reason = self.unsupported(wanted)
        if reason:
            pytest.skip(reason)
        learner = self.build(wanted)
        first, *_, last = train(learner, self.feed(wanted), epochs=6)
        assert last < first, f"the training loss went from {first} to {last} in 6 epochs"
        self.check_outputs(learner.predict(self.feed(wanted, 5)), wanted, 5)

    def test_several_outputs_train_together(self) -> None:
        number = Output(name="value", head="pooled", size=1, loss="mse", post="identity", target="value", weight=0.5)
        wanted = msgspec.structs.replace(self.problem(), outputs=(*self.problem().outputs, number))
        reason = self.unsupported(wanted)
        if reason:
            pytest.skip(reason)
        learner = self.build(wanted)
        first, *_, last = train(learner, self.feed(wanted), epochs=6)
        assert last < first
        self.check_outputs(learner.predict(self.feed(wanted, 5)), wanted, 5)

    def check_outputs(self, outputs: Any, wanted: Problem, count: int) -> None:
        """Names, type, shape and range of predictions."""
        assert set(outputs) == {output.name for output in wanted.outputs}
        for output in wanted.outputs:
            values = outputs[output.name]
            if output.post == "argmax":
                _check_indices(output, values, count)
                continue
            assert values.dtype == np.float32, f"outputs are float32, but '{output.name}' is {values.dtype}"
            assert (len(values), values.shape[-1]) == (count, output.size), (
                f"'{output.name}' has the shape {values.shape}"
            )
            assert values.ndim == (4 if output.head == "dense" else 2)
            if output.post != "identity":
                assert (values >= 0).all() and (values <= 1).all(), f"{output.post} gives probabilities"
            if output.post == "softmax" and count:
                assert np.allclose(values.sum(-1), 1, atol=1e-3), "softmax rows add up to 1"


def _check_indices(output: Output, values: Array, count: int) -> None:
    wanted = vocab.index_type(output.size)
    assert values.dtype.name == wanted, f"argmax gives {wanted}, but '{output.name}' is {values.dtype}"
    assert len(values) == count and values.ndim == (3 if output.head == "dense" else 1)
    assert not count or values.max() < output.size


def check_ctc(output: Output, evaluate: Callable[[Output, Array, Array], float]) -> None:
    """What `Backend.loss` gives for this output of four classes with the loss `ctc` is what the reference gives, also
    where no frame can say anything, and where frames of padding stand around."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(5, 7, 4)).astype(np.float32)
    targets = np.array([[1, 2, 3], [1, 1, -1], [3, -1, -1], [-1, -1, -1], [2, 2, 2]])
    assert np.isclose(evaluate(output, raw, targets), reference.loss(output, raw, targets), atol=1e-5)
    impossible = np.array([[1, 1, 1, 1, 1]])
    assert evaluate(output, raw[:1], impossible) == reference.loss(output, raw[:1], impossible) == 0.0
    behind = np.tile(np.array([1e4, -1e4, -1e4, -1e4], raw.dtype), (1, 9, 1))
    padded = np.concatenate([behind[:, :2], raw[:1], behind], 1)
    assert evaluate(output, padded, impossible) == reference.loss(output, padded, impossible) == 0.0
    for said in (targets[:1], targets[3:4], targets[4:]):
        assert np.isclose(evaluate(output, padded, said), evaluate(output, raw[:1], said), atol=1e-4)
        assert np.isclose(reference.loss(output, padded, said), reference.loss(output, raw[:1], said), atol=1e-4)
