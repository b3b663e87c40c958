"""Losses of raw outputs; `autoft.testing.reference` says what each means, and the tests compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import torch
from torch.nn import functional as F

from autoft.api import Output
from autoft.vocab import index_type
from autoft_torch import _planes
from autoft_torch._planes import SMOOTH

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

#: Focusing exponent and weight of the positive side of the focal loss (Lin et al., 2017).
GAMMA, ALPHA = 2.0, 0.25
#: Focusing exponent of the heat map's loss, and the one by which it spares places near a peak (Law & Deng, 2018).
PEAKED, REDUCED = 2.0, 4.0
#: Losses that leave out places whose target is NaN, and average over the others.
MASKED = ("mse", "mae", "huber")
#: How far ahead the blank is in frames that can say nothing else.
SURE = 1e4
#: Where the Huber loss passes from a parabola to a line.
DELTA = 1.0


def loss(output: Output, raw: torch.Tensor, targets: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
    """The mean loss of a batch, a number, in float32.

    Args:
        raw: (n, size), before any softmax or sigmoid.
        targets: class indices int64 (n,), negative ones left out, or one float per channel (n, size).

    For a dense head (n, height, width, ...); `raw` is enlarged to the size of the targets.
    """
    if output.loss == "ctc":
        return _ctc(raw.float(), targets)
    if _planes.fits(output, raw, targets):
        return _planes.loss(output, raw, targets, label_smoothing)
    if raw.ndim == 4 and raw.shape[1:3] != targets.shape[1:3]:
        raw = enlarge(raw, targets.shape[1])
    if output.loss == "ce_dice":
        parts = [msgspec.structs.replace(output, loss=word) for word in ("cross_entropy", "dice")]
        return loss(parts[0], raw, targets, label_smoothing) + loss(parts[1], raw, targets)
    if output.loss == "cross_entropy" and not targets.is_floating_point():
        return _indexed(output, raw.float().reshape(-1, output.size), targets.reshape(-1), label_smoothing)
    rows, wanted = _pair(raw.float(), targets, output.size)
    weights = rows.new_tensor(output.class_weights or (1.0,) * output.size)
    if output.loss == "cross_entropy":
        spread = wanted * (1 - label_smoothing) + label_smoothing / output.size
        return -(weights * spread * rows.log_softmax(-1)).sum() / (weights * wanted).sum()
    if output.loss == "dice":
        if output.post in ("sigmoid", "identity"):
            return _dice(rows.sigmoid(), wanted, weights)
        return _dice(rows.softmax(-1), wanted, weights * (wanted.sum(0) > 0))
    terms = _terms(output.loss, rows, wanted, label_smoothing) * weights
    if output.loss == "heatmap":
        return terms.sum() / (wanted == 1).sum().clamp(min=1)
    if output.loss in MASKED:
        return terms.sum() / (wanted.isfinite() * weights).sum().clamp(min=weights.min())
    return (terms.sum(-1) / weights.sum()).mean()


def total(
    outputs: Sequence[Output], raw: Mapping[str, torch.Tensor], targets: Mapping[str, torch.Tensor], smoothing: float
) -> torch.Tensor:
    """The weighted sum over all outputs, by name and by target."""
    return torch.stack([o.weight * loss(o, raw[o.name], targets[o.target], smoothing) for o in outputs]).sum()


def enlarge(raw: torch.Tensor, side: int) -> torch.Tensor:
    """Maps (n, height, width, size) to (n, side, side, size), bilinear."""
    wide = F.interpolate(raw.permute(0, 3, 1, 2), (side, side), mode="bilinear", align_corners=False)
    return wide.permute(0, 2, 3, 1)


def _ctc(raw: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Minus the logarithm of the chance of each row of classes, by its length (Graves et al., 2006); 0 for rows that
    cannot be said in so few frames. Frames that are sure of the blank, outside of a recording, are none: a row that is
    said with their help would cost thousands."""
    steps = torch.full((len(raw),), raw.shape[1], dtype=torch.long)
    lengths = (targets >= 0).sum(1)
    twice = ((targets[:, 1:] == targets[:, :-1]) & (targets[:, 1:] >= 0)).sum(1)  # a blank must stand between the two
    heard = (raw[..., 0] - raw[..., 1:].amax(-1) < SURE).sum(1)
    logs = raw.log_softmax(-1).transpose(0, 1)
    each = F.ctc_loss(logs, targets.clamp(min=0), steps, lengths, reduction="none", zero_infinity=True)
    each = each.masked_fill(lengths + twice > heard, 0.0)
    return (each / lengths.clamp(min=1)).mean()


def _indexed(output: Output, rows: torch.Tensor, index: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Cross-entropy of rows without spreading indices over channels. Maps of classes have their own way (`_planes`)."""
    weights = rows.new_tensor(output.class_weights) if output.class_weights else None
    index = index.long().clamp(min=-1)
    total = F.cross_entropy(rows, index, weights, ignore_index=-1, reduction="sum", label_smoothing=smoothing)
    kept = index[index >= 0]
    return total / (weights[kept].sum() if weights is not None else rows.new_tensor(len(kept))).clamp(min=1e-6)


def _dice(chance: torch.Tensor, wanted: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """One minus the soft overlap of each class over all rows (Milletari et al., 2016)."""
    overlap = (2 * (chance * wanted).sum(0) + SMOOTH) / (chance.sum(0) + wanted.sum(0) + SMOOTH)
    return ((1 - overlap) * weights).sum() / weights.sum().clamp(min=1e-6)


def _pair(raw: torch.Tensor, targets: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Raw outputs and targets as rows of channels; class indices become rows of 0 and 1, padding is left out."""
    rows = raw.reshape(-1, size)
    if targets.ndim == raw.ndim:
        return rows, targets.reshape(-1, size).to(rows.dtype)
    index = targets.reshape(-1).long()
    kept = index >= 0
    return rows[kept], F.one_hot(index[kept], size).to(rows.dtype)


def _terms(word: str, raw: torch.Tensor, wanted: torch.Tensor, smoothing: float) -> torch.Tensor:
    """The loss of each channel of each row."""
    if word == "binary_cross_entropy":
        return F.binary_cross_entropy_with_logits(raw, wanted * (1 - smoothing) + smoothing / 2, reduction="none")
    if word == "focal":
        chance = raw.sigmoid()
        right = chance * wanted + (1 - chance) * (1 - wanted)
        side = ALPHA * wanted + (1 - ALPHA) * (1 - wanted)
        return side * (1 - right) ** GAMMA * F.binary_cross_entropy_with_logits(raw, wanted, reduction="none")
    if word == "heatmap":
        return _peaks(raw, wanted)
    # Where the target is NaN, the output counts as right: neither a loss nor a gradient comes from it.
    wanted = torch.where(wanted.isfinite(), wanted, raw.detach())
    if word == "huber":
        return F.huber_loss(raw, wanted, reduction="none", delta=DELTA)
    return F.mse_loss(raw, wanted, reduction="none") if word == "mse" else F.l1_loss(raw, wanted, reduction="none")


def _peaks(raw: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Penalty-reduced focal terms (Law & Deng, 2018)."""
    chance = raw.sigmoid()
    peak = (1 - chance) ** PEAKED * F.softplus(-raw)
    around = (1 - wanted.nan_to_num(1.0)) ** REDUCED * chance**PEAKED * F.softplus(raw)
    return torch.where(wanted == 1, peak, around)


def soften(output: Output, targets: torch.Tensor) -> torch.Tensor:
    """Targets that can be mixed: class indices become probabilities."""
    return targets if targets.is_floating_point() else F.one_hot(targets.long(), output.size).float()


def evaluate(output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
    """The loss of numpy arrays, for the contract kit."""
    return float(loss(output, torch.as_tensor(raw), torch.as_tensor(targets), label_smoothing))


def finish(output: Output, raw: torch.Tensor, size: int = 0) -> torch.Tensor:
    """`Output.post` of raw outputs, float32; for argmax uint8 or uint16, of maps enlarged to `size`."""
    if output.post == "argmax":
        return _largest(output, raw.float(), size)
    if output.post == "softmax":
        return raw.float().softmax(-1)
    return raw.float().sigmoid() if output.post == "sigmoid" else raw.float()


def _largest(output: Output, raw: torch.Tensor, size: int) -> torch.Tensor:
    """Indices of the largest channel. Maps are enlarged channel by channel: all of them at once take much memory, and
    torch looks for the largest across planes twenty times as slowly as it compares two of them."""
    small = index_type(output.size) == "uint8"
    if raw.ndim == 2:
        return raw.argmax(-1).to(torch.uint8 if small else torch.uint16)
    best = enlarge(raw[..., :1], size)
    found = torch.zeros_like(best, dtype=torch.uint8 if small else torch.int32)
    for channel in range(1, output.size):
        here = enlarge(raw[..., channel : channel + 1], size)
        found.masked_fill_(here > best, channel)
        torch.maximum(best, here, out=best)
    return found[..., 0] if small else found[..., 0].to(torch.uint16)
