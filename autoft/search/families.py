"""Kinds of trials, from cheap to dear, and how configurations of each kind are drawn.

* heads: linear heads solved on the features of the whole backbone.
* partial: some blocks frozen, what they give shared by all trials; augmentation is then a number of stored views.
  Depths at which little is left to compute come more often.
* whole: nothing is shared; augmentation is drawn anew in every epoch.

A third of the draws comes from the whole space, a third lies around the default recipe, a third around the best so
far: a prior that helps when it is good and costs little when it is bad (after PriorBand, Mallik et al., 2023).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from autoft.recipe import LEVELS
from autoft.records import Param, Scalar
from autoft.search import space as spaces
from autoft.search.headgrid import LIMITS, PLAIN, Solving, values_of
from autoft.search.sampling import draw, sample, short
from autoft.search.space import Space, Values
from autoft.search.strategy import Facts

HEADS, PARTIAL, WHOLE = "heads", "partial", "whole"
BASELINE: Final = "baseline"
"""The family of trial 0, the default recipe, alone."""
SHARED: Final[Mapping[str, tuple[Scalar, ...]]] = {"mixup": (0.0,), "cutmix": (0.0,), "augment": ("none", "light")}
"""What keeps a frozen prefix the same for all trials: mixing is done on pixels, and every policy has its own views."""
READING: Final = ("text_length", "truncation", "pooling")
"""What decides the features of a text beside the network."""
VIEWS: Final = 4
ANEW: Final[Mapping[str, float]] = {"partial": 1 / 3, "whole": 1 / 2}
"""Chance that a trial begins with a head of its own, though one was solved: networks may have to change much."""
SLOWER: Final = 0.4
"""Factor on the rates of trials that begin with a solved head (docs/adr/0047-solved-heads.md)."""
KEEP: Final = 0.6
"""Chance that a parameter keeps its value in a draw around a good configuration."""
LEAST: Final = 0.15
"""Part of the blocks below which a trial does not become cheaper: the head and reading rows cost something, too."""
UNSHARED: Final = 2 / 3
"""Part of the cost of a block that freezing saves where what it gives is computed at every step: its gradients."""
NEAR: Final = 0.15
"""Standard deviation of a number drawn around another, as a part of its range."""


def additions(*, norms: bool = True, levels: Sequence[str] = ()) -> tuple[Param, ...]:
    """The parameters that the strategy searches beyond the default space; trial 0 leaves them as they are.

    Args:
        norms: whether there are networks whose batch statistics may be kept.
        levels: networks whose heads may stand on all levels.
    """
    solved: dict[str, tuple[Scalar, ...]] = {"head_init": ("ridge", "logistic")}
    alone: dict[str, tuple[Scalar, ...]] = {"freeze": (1.0,), "model": tuple(levels)}
    return (
        Param(key="head_init", choices=("random", "ridge", "logistic"), default="random"),
        Param(key="head_strength", kind="float", low=LIMITS[0], high=LIMITS[1], log=True, default=1.0, when=solved),
        Param(key="head_rows", choices=(0,), default=0, when=solved),
        Param(key="views", choices=(0, VIEWS), default=0),
        *((Param(key="norms", choices=("batch", "kept"), default="batch"),) if norms else ()),
        *((Param(key="pooling", choices=("auto", LEVELS), default="auto", when=alone),) if levels else ()),
    )


def models(space: Space) -> tuple[str, ...]:
    return tuple(str(value) for param in space if param.key == "model" for value in dict.fromkeys(param.choices))


def subspace(space: Space, family: str, *, sharing: bool = True) -> Space | None:
    """The part of the space whose configurations are of this family, or None where there are none. Where frozen blocks
    are not `sharing` what they give, every augmentation is as good as another."""
    if family == PARTIAL:
        kept = _filtered(space, "freeze", lambda value: 0 < float(value or 0) <= 1)
        for key, allowed in SHARED.items() if sharing else ():
            kept = _filtered(kept, key, allowed.__contains__) if kept is not None else None
        return kept
    return _filtered(space, "freeze", lambda value: float(value or 0) < 0.5)


def all_share(space: Space) -> bool:
    """Whether all configurations are partly frozen and share what their frozen blocks give, however few those are."""
    depths = [param for param in space if param.key == "freeze"]
    return bool(depths) and all(p.kind == "choice" for p in depths) and subspace(space, PARTIAL) == space


def _filtered(space: Space, key: str, fits: Callable[[Scalar], bool]) -> Space | None:
    """The space with the values of `key` that fit; None where the user has left none. A range stays as it is."""
    params = [param for param in space if param.key == key]
    if not params:
        return space if fits(spaces.DEFAULTS.get(key)) else None
    edited = []
    for param in params:
        choices = tuple(value for value in param.choices if fits(value))
        if param.kind == "choice" and choices:
            default = param.default if param.default is not None and fits(param.default) else choices[0]
            edited.append(replace(param, choices=choices, default=default))
        elif param.kind != "choice":
            edited.append(param)
    return spaces.edit(space, edited) if edited else None


class Draws:
    """Configurations of one family. The n-th depends on the seed and on what is best by then."""

    def __init__(
        self,
        space: Space,
        family: str,
        model_names: Sequence[str],
        seed: int,
        known: Sequence[Values] = (),
        *,
        sharing: bool = True,
        plain: Collection[str] = (),
        anew: bool = False,
    ) -> None:
        """`known` are configurations that run anyway; `sharing` says whether what frozen blocks give is kept for all
        networks, and `plain` for which ones features alone are: what all blocks give, of samples as they are. `anew`
        gives the default recipes, which come first, heads of their own."""
        self.space = space
        self.family = family
        self.sharing = sharing
        self.plain = frozenset(plain)
        self.anew = anew
        self.models = list(model_names)
        self.sizes: dict[str, tuple[int, ...]] = {}
        """Network -> image sizes that are worth their time; any where a network is not in it."""
        self.dearest = 1.0
        """The most that an epoch may cost (`price`), but for the cheapest depth: for whole networks 1."""
        self.viewable = float("inf")
        """The largest side of images for which there is time to compute several versions of each sample."""
        self.seed = seed
        self.count = 0
        self._seen = {key_of(params) for params in known}

    def draw(
        self,
        best: Mapping[str, Scalar] | None,
        head: Callable[[str], Solving | None],
        *,
        near: bool = False,
        wide: Callable[[str], Solving | None] = lambda model: None,
    ) -> Values | None:
        """The next configuration, or None when nothing new is found.

        Args:
            best: the best configuration of this family so far.
            head: the best solved head of a network, to start from: of its last features, which blocks that train have.
            wide: the same of all levels, for heads alone.
            near: around the best one, or the default recipe where there is none, and of no head alone: for a trial that
                has no rivals.
        """
        for _ in range(50):
            generator = random.Random(f"{self.seed}:{self.family}:{self.count}")
            way = 1 if near else self.count % 3 if self.count >= len(self.models) else -1
            params = self._one(way, best, generator, near)
            if self.family == PARTIAL and (way != -1 or self.dearest < 1.0):
                self._cheapen(params, best if way == 1 else None, generator)
            self.count += 1
            begun = way == 1 and bool(best) and (best or {}).get("head_init", "random") != "random"
            wider = params.get("freeze") == 1.0 and params.get("pooling") == LEVELS
            own = self.anew and way == -1
            self._finish(params, wide if wider else head, generator, near=near, begun=begun, own=own)
            if near and params.get("freeze") == 1.0:
                continue
            if (key := key_of(params)) not in self._seen:
                self._seen.add(key)
                return params
        return None

    def _one(self, way: int, best: Mapping[str, Scalar] | None, generator: random.Random, near: bool = False) -> Values:
        if way == -1:  # first the default recipe of each network
            return spaces.resolve(self.space, {"model": self.models[self.count]} if self._has("model") else {})
        if way == 2 or (way == 1 and best is None and self.count % 2 and not near):
            return self._drop_others(draw(self.space, generator), generator)
        named = self.models[0] if near else generator.choice(self.models)  # a single trial has the best network
        model = {"model": named} if self._has("model") else {}
        around = best if way == 1 and best is not None else spaces.resolve(self.space, model)
        kept = ("model",) if near else ()
        walked = spaces.walk(self.space, lambda param: _near(param, around, generator, kept))
        return self._drop_others(walked, generator)

    def _drop_others(self, params: Values, generator: random.Random) -> Values:
        """A network that was found weak is not drawn again."""
        if params.get("model") in self.models or not self._has("model"):
            return params
        fixed = {**params, "model": generator.choice(self.models)}
        return spaces.walk(
            self.space,
            lambda param: (
                fixed[param.key]
                if param.key in fixed and spaces.contains(param, fixed[param.key])
                else sample(param, generator)
            ),
        )

    def _cheapen(self, params: Values, best: Mapping[str, Scalar] | None, generator: random.Random) -> None:
        """Draw the depth again, by the inverse square of what an epoch of it costs: all dear ones together then take
        no more time than the cheap ones. The depth of the best one stays in draws around it."""
        if best and params.get("freeze") == best.get("freeze"):
            return
        depths = next((p.choices for p in self.space if p.key == "freeze" and spaces.active(p, params)), ())
        if len(set(depths)) > 1:
            found = self._affordable(depths)
            params["freeze"] = generator.choices([d for d, _ in found], [cost**-2 for _, cost in found])[0]

    def _affordable(self, depths: Iterable[Scalar]) -> list[tuple[Scalar, float]]:
        """Those that may be drawn, each with the price of an epoch: heads, what costs no more than `dearest`, and the
        cheapest one that trains blocks."""
        costs = [(depth, price(depth, shared=self.sharing)) for depth in depths]
        cheapest = min((cost for depth, cost in costs if float(depth or 0) < 1), default=1.0)
        return [(d, cost) for d, cost in costs if float(d or 0) == 1 or cost <= max(cheapest, self.dearest)]

    def cost(self) -> float:
        """Expected price of an epoch of a draw that trains blocks."""
        trained = [(cost, weight) for depth, cost, weight in self._depths() if depth < 1]
        return sum(cost * weight for cost, weight in trained) / sum(w for _, w in trained) if trained else 1.0

    def trained(self) -> float:
        """The part of the draws that train blocks; the others are heads."""
        depths = self._depths()
        alone = sum(weight for depth, _, weight in depths if depth == 1) if self.sharing or self.plain else 0.0
        return 1.0 - alone / sum(weight for *_, weight in depths) if depths else 1.0

    def _depths(self) -> list[tuple[float, float, float]]:
        """Depths, the price of an epoch at each, and how often each is drawn."""
        choices = next((param.choices for param in self.space if param.key == "freeze"), ())
        if self.family == PARTIAL:
            return [(float(depth or 0), cost, cost**-2) for depth, cost in self._affordable(choices)]
        return [(float(depth or 0), price(depth, shared=False), 1.0) for depth in choices]

    def _finish(
        self,
        params: Values,
        head: Callable[[str], Solving | None],
        generator: random.Random,
        *,
        near: bool,
        begun: bool,
        own: bool,
    ) -> None:
        """The image size follows from the network's features, the start of the head and the views from the family,
        where the user leaves them open. `begun` says that it was drawn around one that begins with a solved head, `own`
        that it has a head of its own."""
        name = str(params.get("model", self.models[0]))
        allowed = self.sizes.get(name)
        if (
            allowed
            and "image_size" in params
            and params["image_size"] not in allowed
            and _open(self.space, "image_size")
        ):
            params["image_size"] = generator.choice(allowed)
        if params.get("freeze") != 1.0 and params.get("pooling") == LEVELS:
            params.pop("pooling")  # the depth was drawn again
        if params.get("freeze") == 1.0 and (name in self.plain or params.get("pooling") == LEVELS):
            # Each other view or reading would take one more pass.
            params |= _left_open(self.space, params, {**PLAIN, **self._reading(params)})
        if self.family == PARTIAL and _open(self.space, "views"):
            if float(params.get("image_size") or 0) > self.viewable:
                params |= _left_open(self.space, params, {"augment": "none"})
            params["views"] = VIEWS if self.sharing and params.get("augment", "none") != "none" else 0
        elif _open(self.space, "views"):
            params["views"] = 0
        # No statistics are learned, or no head is solved.
        if params.get("freeze") == 1.0 or not _open(self.space, "head_init"):
            params |= _left_open(self.space, params, {"norms": "batch"})
        solved = head(name)
        if not _open(self.space, "head_init"):
            return
        params.pop("head_strength", None)
        rows = {"head_rows": rows} if (rows := params.pop("head_rows", 0)) else {}
        anew = generator.random() < ANEW.get(self.family, 0.0) and not near
        if solved is None or params.get("head_width") or anew or own:
            params["head_init"] = "random"
            return
        params |= {"head_init": solved.kind, "head_strength": solved.strength, **rows}
        if name in self.plain:  # the features that it was solved on are there
            params |= _left_open(self.space, params, {**self._reading(params), **solved.reading})
        if params.get("freeze") != 1.0:
            params |= keeping(self.space, params, 1.0 if begun else SLOWER)

    def _reading(self, params: Values) -> Values:
        """How the default recipe of the same network reads texts."""
        default = spaces.resolve(self.space, {"model": params["model"]} if "model" in params else {})
        return {key: default[key] for key in READING if key in default}

    def _has(self, key: str) -> bool:
        return any(param.key == key for param in self.space)


def keeping(space: Space, params: Values, slower: float = SLOWER) -> Values:
    """What a trial has otherwise that begins with a head that was solved on features: this stays right as long as these
    change slowly."""
    rate = next((param for param in space if param.key == "lr" and spaces.active(param, params)), None)
    found = _left_open(space, params, {"norms": "kept"})
    if rate is not None and not rate.fixed and rate.kind == "float":
        found["lr"] = short(rate, max(rate.low, slower * float(params["lr"] or 0)))
    return found


def _left_open(space: Space, params: Values, wanted: Values) -> Values:
    return {key: value for key, value in wanted.items() if key in params and _open(space, key)}


def _open(space: Space, key: str) -> bool:
    return any(param.key == key and not param.fixed for param in space)


def families_of(facts: Facts, networks: Sequence[str], *, weak: bool, anew: bool = False) -> dict[str, Draws]:
    """The families that a space has beside heads. Where every configuration shares what its frozen blocks give, none is
    dear, however few those are; weak networks must train deep blocks, so they keep a family for it.

    Args:
        weak: whether most of all networks must still be learned.
        anew: see `Draws`; of partly frozen networks.
    """
    space, found = facts.space, dict[str, Draws]()
    sharing, known = all(name in facts.sharing for name in networks), [] if anew else [spaces.baseline(space)]
    plain = facts.featured - facts.sharing
    usual = {name: spaces.resolve(space, {"model": name} if name else {}) for name in networks}
    for family in (PARTIAL, WHOLE):
        part = subspace(space, family, sharing=sharing)
        own = [name for name in networks if family == PARTIAL or {*values_of(space, "freeze", usual[name])} != {1.0}]
        if own and part is not None and (family == PARTIAL or weak or not (sharing and all_share(space))):
            found[family] = Draws(
                part, family, own, facts.seed, known, sharing=sharing, plain=plain, anew=anew and family == PARTIAL
            )
    return found


def price(freeze: Scalar, *, shared: bool) -> float:
    """What an epoch costs that freezes this part of the blocks, as a part of one in which all are trained.

    Args:
        shared: whether what frozen blocks give is computed once for all epochs.
    """
    return max(LEAST, 1.0 - float(freeze or 0)) if shared else 1.0 - UNSHARED * float(freeze or 0)


def is_shared(params: Mapping[str, Scalar], sharing: Collection[str]) -> bool:
    """Whether what frozen blocks give a trial is computed once: see `SHARED`."""
    plain = params.get("augment", "none") == "none" or bool(params.get("views"))
    return params.get("model", "") in sharing and plain and not (params.get("mixup") or params.get("cutmix"))


def key_of(params: Mapping[str, Scalar]) -> tuple[tuple[str, Scalar], ...]:
    """The same for the same configuration."""
    return tuple(sorted(params.items()))


def _near(param: Param, around: Mapping[str, Scalar], generator: random.Random, kept: Collection[str] = ()) -> Scalar:
    value = around.get(param.key)
    if value is None or not spaces.contains(param, value):
        return spaces.default_of(param)
    if (generator.random() < KEEP or param.key in kept) and param.kind == "choice":
        return value
    if param.kind == "choice":
        return generator.choice(param.choices)
    low, high = (math.log(param.low), math.log(param.high)) if param.log else (param.low, param.high)
    middle = math.log(float(value)) if param.log else float(value)
    drawn = min(max(generator.gauss(middle, NEAR * (high - low)), low), high)
    value = math.exp(drawn) if param.log else drawn
    return round(value) if param.kind == "int" else short(param, value)
