"""Presets: how much a search spends per trial, on which networks, and how widely it looks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from autoft.errors import UsageError
from autoft.records import ModelCard, Record, Scalar
from autoft.vocab import did_you_mean

Breadth = Literal["narrow", "usual", "wide"]


class Preset(Record, frozen=True):
    """One bundle of defaults. Every value can be overridden on its own."""

    name: str
    summary: str
    epochs: int
    """Most epochs of a trial."""
    patience: int
    """Epochs without a better score before a trial stops."""
    time: float
    """Seconds for the whole command, where the user names none."""
    image_size: int
    """Largest side of an image, in pixels."""
    models: int
    """How many networks are searched."""
    params: int
    """Largest network, in parameters of the backbone."""
    macs: float
    """Costliest network, in giga multiply-adds for one image of the size that this preset trains on."""
    breadth: Breadth
    """How widely the rarer parameters are searched."""
    aliases: tuple[str, ...] = ()
    architecture: str = ""
    """The one network that it searches, in lower case without separators, whatever library it comes from; empty is
    any. Networks that the user names come first."""
    fixed: Mapping[str, Scalar] = {}
    """Parameters that it does not search. What they say about pretrained blocks leaves networks from scratch alone."""


CLASSIC: Final[Mapping[str, Scalar]] = {
    # 16 of 17 blocks, which is as near as whole blocks come to "all layers but the last four": those are the last
    # convolution of the last block with its normalisation, and two without parameters.
    "freeze": 0.94,
    "layer_decay": 1.0,
    "head_width": 1024,
    "head_activation": "relu",
    "optimizer": "adam",
    "schedule": "constant",
    "augment": "none",
    "class_weights": "none",
    **dict.fromkeys(("warmup", "clip", "weight_decay", "l1", "dropout", "label_smoothing", "mixup", "cutmix"), 0.0),
}

_ALL: Final = (
    Preset(
        name="fast",
        summary="small networks, small images, the parameters that matter most",
        epochs=12,
        patience=4,
        time=600,
        image_size=128,
        models=2,
        params=6_000_000,
        macs=0.25,
        breadth="narrow",
        aliases=("medium_quality",),
    ),
    Preset(
        name="balanced",
        summary="networks and images of middle size, every parameter",
        epochs=20,
        patience=6,
        time=1800,
        image_size=192,
        models=3,
        params=15_000_000,
        macs=0.8,
        breadth="usual",
        aliases=("high_quality",),
    ),
    Preset(
        name="best",
        summary="large networks and images, wide ranges, many epochs",
        epochs=40,
        patience=10,
        time=14_400,
        image_size=288,
        models=5,
        params=100_000_000,
        macs=20.0,
        breadth="wide",
        aliases=("best_quality",),
    ),
    Preset(
        name="classic",
        summary="the recipe of the tutorials: ResNet-50, its last block and a head of 1024 units trained with Adam",
        epochs=20,
        patience=6,
        time=1800,
        image_size=224,
        models=1,
        params=30_000_000,
        macs=5.0,
        breadth="narrow",
        architecture="resnet50",
        fixed=CLASSIC,
    ),
)
PRESETS: Final = {preset.name: preset for preset in _ALL}


def find_preset(name: str) -> Preset:
    """The preset with this name or alias.

    Raises:
        UsageError: there is none.
    """
    for preset in PRESETS.values():
        if name == preset.name or name in preset.aliases:
            return preset
    known = [word for preset in PRESETS.values() for word in (preset.name, *preset.aliases)]
    raise UsageError(f"preset must be one of {', '.join(known)}, but got '{name}'.{did_you_mean(name, known)}")


UNKNOWN: Final = 60.0
"""Strength that stands for an unknown prior: that of a small network."""
NATIVE: Final = 25.0
"""Percent that a head of its own, pretrained for such outputs, is worth: more than most differences of backbones."""
CHEAP: Final = 0.25
"""Share of a preset's bound below which a network is cheap."""
REPEATED: Final = 3.0
"""Percent by which a network must lead to be picked although one of its family is picked already."""


def pick_models(cards: Sequence[ModelCard], preset: str, count: int = 0) -> tuple[ModelCard, ...]:
    """The networks that a preset searches among those that can be used now, the strongest first: at most `count`, or
    as many as the preset says.

    Networks above the preset's bounds are left out, unless that leaves none: the cheapest then stands in. Any
    pretrained one beats all that start from scratch. The second is the strongest of the cheap ones, unless the
    first is cheap, so that a short search has one that it can train often; the others are the strongest of other
    families. No architecture comes twice. Those at hand win ties, then the earlier in `cards`. Those that have nothing
    to learn, and those that count words, come on top, last: they cost little, and on few texts the words alone often
    say more than a network that has read much.
    """
    wanted = find_preset(preset)
    free = [card for card in cards if suits(card, wanted) and card.fixed]
    cards = [card for card in cards if suits(card, wanted) and not card.fixed]
    fitting = [card for card in cards if card.params <= wanted.params and _share(card, wanted) <= 1]
    fitting = fitting or sorted(cards, key=lambda card: _share(card, wanted))[:1]
    ranked = sorted(fitting, key=lambda card: (-_strength(card), not card.offline))
    left = _distinct([card for card in ranked if card.pretrained] or ranked)
    picked: list[ModelCard] = []
    while left and len(picked) < (count or wanted.models):
        cheap = [card for card in left if _share(card, wanted) <= CHEAP]
        strong_only = len(picked) == 1 and _share(picked[0], wanted) > CHEAP
        picked.append(_strongest(cheap if strong_only and cheap else left, picked))
        left.remove(picked[-1])
    counting = _distinct([card for card in ranked if card.counts and card not in picked])
    return (*picked, *counting, *free)


def suits(card: ModelCard, preset: Preset) -> bool:
    """Whether this is the network that the preset is made for; any, for most presets."""
    return not preset.architecture or "".join(_words(card)) == preset.architecture


def _share(card: ModelCard, preset: Preset) -> float:
    """The part of the preset's bound that one image costs; that of its parameters where the cost is unknown."""
    if not card.macs:
        return card.params / preset.params
    side = card.input_size if card.fixed_size else min(card.input_size, preset.image_size)
    return card.macs * (side / card.input_size) ** 2 / preset.macs


def _strength(card: ModelCard) -> float:
    return (card.prior or UNKNOWN) + NATIVE * bool(card.native and card.pretrained)


def _strongest(ranked: Sequence[ModelCard], picked: Sequence[ModelCard]) -> ModelCard:
    families = {_family(card) for card in picked}
    return max(ranked, key=lambda card: _strength(card) - REPEATED * (_family(card) in families))


def _distinct(ranked: Sequence[ModelCard]) -> list[ModelCard]:
    """The first of each architecture. Libraries name it in several ways, but agree on its number of parameters."""
    kept: list[ModelCard] = []
    seen: set[str | int] = set()
    for card in ranked:
        marks: set[str | int] = {"".join(_words(card)), *([card.params] if card.params else [])}
        if not marks & seen:
            kept.append(card)
        seen |= marks
    return kept


def _words(card: ModelCard) -> list[str]:
    """Those of the architecture: `resnet`, `18` of ``timm/resnet_18.tag``, without the size of its images."""
    name = card.name.partition("@")[0].rpartition("/")[2].partition(".")[0].lower()
    name = re.sub(r"^tf_|[-_](224|256|288|384|448|512|518)$", "", name)
    return [word for word in re.split("[-_]", name) if word]


def _family(card: ModelCard) -> str:
    """`resnet` of ``resnetv2_50``, `vit` of ``vit_b_16``."""
    first = (_words(card) or [card.name])[0]
    found = re.match("[a-z]*?net|[a-z]+", first)
    return found[0] if found else first


MOST_OWN: Final = 256
"""Sides above this are too dear to be tried on data that do not have them."""
SMALL: Final = 128
"""Networks drawn for sides below this are for small images."""


def sizes_for(card: ModelCard, side: int, preset: str) -> tuple[int, ...]:
    """Image sizes to search for a network and data whose shorter side is `side` pixels; the default comes first.

    A pretrained network loses much below half the size it was trained on, or below 64 pixels (its filters then meet
    another scale), and gains little above it. The size it was trained on is always among them: small images gain from
    being enlarged to it (measured: .85 at 128 pixels, .95 at 224 for frozen features). From scratch, or if drawn for
    small images, a network's own size is the default, since time grows with the square of the side; larger ones are
    searched where the data have them.
    """
    wanted = find_preset(preset)
    if card.fixed_size:
        return (card.input_size,)
    small = not card.pretrained or card.input_size < SMALL
    least = (
        max(card.min_size, min(card.input_size, max(64, card.input_size // 2))) if card.pretrained else card.min_size
    )
    most = max(card.min_size, min(card.input_size, wanted.image_size))
    first = _rounded(min(max(side, least), most))
    own = () if small or card.input_size > MOST_OWN else (card.input_size,)
    if wanted.breadth == "narrow":
        return tuple(dict.fromkeys((first, *own)))
    if small:
        factors: tuple[float, ...] = (1.5, 2.0) if wanted.breadth == "wide" else (1.5,)
    else:
        factors = (2 / 3, 4 / 3) if wanted.breadth == "wide" else (2 / 3,)
    largest = min(wanted.image_size, max(first, _rounded(side))) if small else wanted.image_size
    others = (_rounded(int(first * factor)) for factor in factors)
    return tuple(dict.fromkeys([first, *(o for o in others if card.min_size <= o <= largest), *own]))


def _rounded(side: int) -> int:
    """Up to a multiple of 32 (networks halve the size five times), of 8 for small images."""
    step = 32 if side > 64 else 8
    return -(-side // step) * step
