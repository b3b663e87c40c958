"""`Surrogate`: the prior and the networks that say how a partial curve may end, and the file that holds them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from autoft.api import UsageError
from autoft_graybox.curve import Array
from autoft_graybox.features import WIDTH, Known, State, best_so_far, features, scale
from autoft_graybox.network import WEIGHTS, Layers, forward
from autoft_graybox.prior import Prior

SHIPPED: Final = Path(__file__).parent / "data" / "surrogate.safetensors"
ABOUT: Final = "about"
"""Key of the file's metadata."""


class Outlook(NamedTuple):
    """How n configurations may end."""

    best: Array
    """(n,) best score so far."""
    final: Array
    """(n, networks, quantiles): best score at the end, by quantile; never below `best` nor above 1."""

    def mean(self) -> Array:
        """(n,)"""
        mean: Array = (self.final * WEIGHTS).sum(-1).mean(-1)
        return mean

    def improvement(self, over: float) -> Array:
        """(n,) expected improvement of the final score over `over`."""
        expected: Array = (np.maximum(self.final - over, 0) * WEIGHTS).sum(-1).mean(-1)
        return expected


class Surrogate(NamedTuple):
    """What was learned from past runs. Scores lie in [0, 1], more is better."""

    prior: Prior
    centre: Array
    spread: Array
    networks: tuple[Layers, ...]
    epochs: int
    """Length of the runs that it was learned from."""
    data_sets: tuple[str, ...] = ()
    """Those that it was learned from: on them it must not be judged."""

    def outlook(self, state: State, known: Known) -> Outlook:
        """How each configuration may end, from all curves so far."""
        x = np.clip((features(state, known) - self.centre) / self.spread, -5, 5)
        best = best_so_far(state)
        gains = np.stack([forward(layers, x) for layers in self.networks], 1)
        gains = np.maximum(gains, 0) * scale(state, best)[:, None, None]
        return Outlook(best, np.minimum(best[:, None, None] + gains, 1.0))


def save(surrogate: Surrogate, path: Path, meta: dict[str, str]) -> str:
    """Write it as safetensors; gives the file's sha256."""
    from safetensors.numpy import save_file

    arrays = {f"network{n}.{k}": a for n, layers in enumerate(surrogate.networks) for k, a in enumerate(layers)}
    arrays |= {"centre": surrogate.centre, "spread": surrogate.spread}
    arrays |= {"prior.known": surrogate.prior.known, "prior.unknown": surrogate.prior.unknown}
    notes = {
        **meta,
        "models": surrogate.prior.models,
        "epochs": surrogate.epochs,
        "data_sets": surrogate.data_sets,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # One entry: safetensors writes several in an order of its own, and the file would never be the same twice.
    about = {ABOUT: json.dumps(notes, sort_keys=True)}
    save_file({name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}, path, about)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load(path: Path) -> Surrogate:
    """Read what `save` wrote.

    Raises:
        UsageError: it was made for other features.
    """
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        # It is no mapping, although it has `keys`.
        arrays: dict[str, Array] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        notes: dict[str, Any] = json.loads(file.metadata()[ABOUT])
    if arrays["centre"].shape != (WIDTH,):
        raise UsageError(
            f"a surrogate must have {WIDTH} features, but {path} has {len(arrays['centre'])}.",
            "Train it again with tools/train_surrogate.py.",
        )
    number = 1 + max(int(name.partition(".")[0].removeprefix("network")) for name in arrays if "network" in name)
    depth = sum(name.startswith("network0.") for name in arrays)
    networks = tuple([arrays[f"network{n}.{k}"] for k in range(depth)] for n in range(number))
    prior = Prior(tuple(notes["models"]), arrays["prior.known"], arrays["prior.unknown"])
    seen = tuple(notes["data_sets"])
    return Surrogate(prior, arrays["centre"], arrays["spread"], networks, notes["epochs"], seen)


@cache
def shipped() -> Surrogate:
    """The one that comes with this package, learned from all runs in the Quick-Tune table that were at hand.

    Raises:
        UsageError: the file was changed.
    """
    wanted = SHIPPED.with_suffix(".sha256").read_text().strip()
    found = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    if found != wanted:
        raise UsageError(
            f"{SHIPPED.name} must have the sha256 {wanted}, but has {found}.", "Install autoft-graybox again."
        )
    return load(SHIPPED)
