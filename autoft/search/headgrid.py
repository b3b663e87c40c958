"""Which linear heads are solved for a network: on which of its features, by which method, how strongly held back."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from autoft.recipe import LEVELS
from autoft.records import Scalar
from autoft.search import space as spaces
from autoft.search.space import Space, Values

STRENGTHS: Final = {
    "ridge": (1.0, 1e-1, 10.0, 1e-2, 100.0, 1e-3),
    "logistic": (1e-2, 1e-1, 1e-3, 1e-4, 1.0),
}
"""The usual ones first: time may end before all are solved."""
WIDE: Final = {"ridge": (1.0, 1e-1, 10.0, 1e-2), "logistic": (1e-1, 1e-2)}
"""Of heads on all levels: ridge costs one decomposition for all, logistic heads a search each among many features."""
LIMITS: Final = (1e-5, 1e4)
"""How far the search goes on beyond these, where the best head is at their end."""
PLAIN: Final[Mapping[str, Scalar]] = {"augment": "none", "mixup": 0.0, "cutmix": 0.0}
"""What leaves a sample as it is."""


class Solving(NamedTuple):
    """How a head is solved, and on what; the head itself is `autoft.heads.Head`."""

    model: str
    reading: Values
    """What decides the features beside the network: the image size, whether all levels are seen, or how the vectors of
    tokens become one."""
    kind: str
    strength: float
    formulation: str = ""
    """The way in which the problem was posed; empty where there is one."""


def values_of(space: Space, key: str, params: Mapping[str, Scalar]) -> tuple[Scalar, ...]:
    """The listed values that `key` may take beside `params`; none where it is a range or not searched."""
    found = next((p for p in space if p.key == key and spaces.active(p, params)), None)
    return (spaces.listed(found) or ()) if found is not None else ()


def head_sizes(space: Space, model: str) -> tuple[Scalar, ...]:
    """Image sizes at which heads of a network can be solved, its default first; None stands for what the data have."""
    base = spaces.resolve(space, {"model": model})
    default = base.get("image_size")
    return tuple(dict.fromkeys((default, *values_of(space, "image_size", base))))


def readings(space: Space, model: str) -> list[Values]:
    """The ways in which features of a network can be had, its default first: images of several sizes, tokens pooled
    in several ways, or what the data have."""
    base = spaces.resolve(space, {"model": model})
    key = next((key for key in ("image_size", "pooling") if key in base), "")
    return [{key: value} for value in dict.fromkeys((base[key], *values_of(space, key, base)))] if key else [{}]


def pooled(space: Space, way: Values, model: str) -> list[Values]:
    """A reading of images, and the same with all levels where the network and the space have them: one pass gives the
    features of both. Any other reading is one alone."""
    alone: Values = {"model": model, "freeze": 1.0}
    words = values_of(space, "pooling", alone) if "pooling" not in way else ()
    return [way if word != LEVELS else {**way, "pooling": word} for word in words] or [way]


def heads(space: Space, model: str, ways: Sequence[Values] = (), posed: Sequence[str] = ()) -> list[Values]:
    """All heads to be solved for a network on features that are had in these ways, or in all; empty where the space
    forbids them. `posed` are the formulations whose solutions differ: that of the default recipe alone where the space
    has no choice."""
    base = spaces.resolve(space, {"model": model})
    if "freeze" in base and 1.0 not in values_of(space, "freeze", base):
        return []
    if base.get("head_width", 0) and 0 not in values_of(space, "head_width", base):
        return []
    kinds = {value for param in space if param.key == "head_init" for value in param.choices} & STRENGTHS.keys()
    rows: Values = {p.key: p.default for p in space if p.key == "head_rows" and p.default}  # where the user says so
    found = []
    usual = {**base, "freeze": 1.0, "optimizer": "solve", "head_width": 0, **PLAIN, "epochs": 1}
    words = [word for word in posed if word in values_of(space, "formulation", base)] or [
        str(base.get("formulation", ""))
    ]
    for way, word in itertools.product(ways or readings(space, model), words):
        for kind, strengths in (WIDE if way.get("pooling") == LEVELS else STRENGTHS).items():
            if kinds and kind not in kinds:
                continue  # numbers have no logistic solution
            for strength in strengths:
                own: Values = {"head_init": kind, "head_strength": strength, "formulation": word}
                chosen = {**usual, **own, **way}
                found.append({key: value for key, value in chosen.items() if _known(space, key)} | rows)
    return found


def beyond(tried: Collection[float], best: float) -> list[float]:
    """The next strengths outward where the best of those that were tried is the last one at its end."""
    way = 0.1 if best <= min(tried, default=best) else 10.0 if best >= max(tried) else 0.0
    outward = [float(f"{best * way**step:.3g}") for step in (1, 2)]
    return [strength for strength in outward if LIMITS[0] <= strength <= LIMITS[1]]


def _known(space: Space, key: str) -> bool:
    return any(param.key == key for param in space)
