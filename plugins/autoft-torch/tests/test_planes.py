"""Losses of maps of classes are those of their places as rows."""

from __future__ import annotations

import msgspec
import pytest
import torch

from autoft.api import Output
from autoft_torch import _losses, _planes

MAP = Output(name="mask", head="dense", size=5, loss="ce_dice", post="argmax", target="mask")
WEIGHTED = msgspec.structs.replace(MAP, class_weights=(0.5, 1.0, 2.0, 0.1, 3.0))


def drawn(masked: bool) -> tuple[torch.Tensor, torch.Tensor]:
    dice = torch.Generator().manual_seed(0)
    raw = torch.randn(2, 4, 4, 5, generator=dice)
    return raw, torch.randint(-2 if masked else 0, 5, (2, 12, 12), generator=dice)


@pytest.mark.parametrize("word", _planes.WORDS)
@pytest.mark.parametrize("output", [MAP, WEIGHTED], ids=["plain", "weighted"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_planes_give_what_rows_give(word: str, output: Output, masked: bool, smoothing: float) -> None:
    output = msgspec.structs.replace(output, loss=word)
    raw, targets = drawn(masked)
    found, gradients = [], []
    for rows in (True, False):
        given = raw.clone().requires_grad_()
        if rows:  # enlarged, and each place a sample of its own
            places = _losses.enlarge(given, 12).reshape(-1, 5)
            value = _losses.loss(output, places, targets.reshape(-1), smoothing)
        else:
            assert _planes.fits(output, given, targets)
            value = _losses.loss(output, given, targets, smoothing)
        value.backward()  # type: ignore[no-untyped-call]
        assert given.grad is not None
        found.append(value.detach())
        gradients.append(given.grad)
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-7)


def test_where_no_place_counts_nothing_is_learned() -> None:
    raw, targets = drawn(False)
    given = raw.requires_grad_()
    value = _losses.loss(msgspec.structs.replace(MAP, loss="cross_entropy"), given, torch.full_like(targets, -1))
    value.backward()  # type: ignore[no-untyped-call]
    assert value == 0 and given.grad is not None and not given.grad.any()


@pytest.mark.parametrize("changes", [{"post": "sigmoid"}, {"loss": "focal"}])
def test_other_maps_are_rows(changes: dict[str, str]) -> None:
    raw, targets = drawn(False)
    assert not _planes.fits(msgspec.structs.replace(MAP, **changes), raw, targets)
    assert not _planes.fits(MAP, raw, torch.rand(2, 12, 12, 5)), "chances of each class"
    assert not _planes.fits(MAP, raw.reshape(-1, 5), targets.reshape(-1)), "one class for each sample"
