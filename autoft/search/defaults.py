"""The default space: everything that fine-tuning can vary, weighted towards what works.

Ranges and weights follow the learning curves of Quick-Tune (Arango et al., ICLR 2024), looked at with a coarse eye:
with Adam and AdamW the good learning rates lie between 1e-4 and 5e-3 (head alone: up to 1e-2), with SGD tenfold
higher; dropout and strong weight decay hurt more often than they help; small batches beat large ones; a long
warm-up makes early scores useless for stopping; freezing half of the network costs next to nothing.
A choice listed twice is drawn twice as often; a grid counts it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from autoft.errors import UsageError
from autoft.records import ModelCard, Param, Scalar
from autoft.search.presets import PRESETS, Breadth, Preset, find_preset, pick_models, sizes_for
from autoft.search.space import DEFAULTS, Space, edit, validate
from autoft.vocab import ACTIVATIONS

__all__ = ["PRESETS", "Preset", "default_space", "find_preset", "pick_models", "sizes_for"]

STEPS: Final = 8
"""Fewest training steps in an epoch that a batch size must leave."""

CHOICES: Final[Mapping[str, Mapping[Scalar, int]]] = {
    # key: value -> weight; the recipe's default is the value of trial 0
    "optimizer": {"adamw": 3, "adam": 1, "sgd": 1},
    "schedule": {"cosine": 2, "linear": 1, "constant": 1},
    "warmup": {0.0: 1, 0.05: 1, 0.1: 1},
    "clip": {0.0: 1, 1.0: 2, 5.0: 1},
    "l1": {0.0: 3, 1e-4: 1, 1e-3: 1, 1e-2: 1},
    "dropout": {0.0: 3, 0.1: 2, 0.2: 1},
    "label_smoothing": {0.0: 1, 0.1: 1},
    "class_weights": {"none": 3, "balanced": 1},
    "head_width": {0: 4, 128: 1, 256: 1},
    "augment": {"none": 1, "light": 2, "trivial": 1, "strong": 1},
    "mixup": {0.0: 4, 0.2: 1},
    "cutmix": {0.0: 4, 1.0: 1},
}
ALIKE: Final[Mapping[Scalar, int]] = {"balanced": 3, "none": 1}
"""Of `class_weights`, where the metric counts all classes alike (docs/adr/0056-schedules-end.md)."""
MIXED: Final[Mapping[str, tuple[str, ...]]] = {"mixup": ("image", "audio"), "cutmix": ("image",)}
"""What blends samples -> modalities of the networks that it acts on."""
WIDER: Final[Mapping[str, tuple[Scalar, ...]]] = {
    "dropout": (0.3, 0.5),
    "head_width": (512,),
    "pooling": ("max",),
    "augment": ("trivial", "strong"),
    "mixup": (0.4, 1.0),
    "cutmix": (0.5,),
    "layer_decay": (0.65,),
    "momentum": (0.8, 0.99),
    "freeze": (0.1, 0.4, 0.6, 0.9),
}
FIXED_WHEN_NARROW: Final = frozenset(
    {"schedule", "warmup", "clip", "l1", "class_weights", "head_width", "mixup", "cutmix", "layer_decay", "nesterov"}
)

PRETRAINED: Final = frozenset({"freeze", "layer_decay"})
"""What is about pretrained blocks alone."""

AROUND: Final = 4.0
"""How far from a card's own rate the search looks, as a factor."""
SGD: Final = 10.0
"""Rates of sgd, in those of Adam."""
Frozen = tuple[float, tuple[float, ...]]
"""The default of `freeze`, and its choices."""
DEEP: Final[Frozen] = (0.5, (0.0, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0))
WHOLE: Final[Frozen] = (0.0, (0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0))
"""For weak networks."""
FIRST: Final[Frozen] = (0.1, (0.0, 0.1, 0.1, 0.25, 0.5, 0.75, 1.0))
"""For those whose cards name a rate, or that bring the head as well. The default keeps one block of twelve: the table
of tokens, or the convolutions of speech networks, which are usually kept (Baevski et al., 2020)."""
ALL: Final[Frozen] = (1.0, (1.0,))
"""For networks with nothing to learn."""
WEAK: Final = 50.0
"""A known prior below this makes a network weak: it is mostly trained whole, at the rates of one from scratch."""

#: (optimizers, kind of network) -> low, high, default of the learning rate. Where the head is pretrained as well, the
#: rates of new heads would undo it: detection transformers are trained at 1e-4 (Carion et al., 2020).
RATES: Final = (
    (("adamw", "adam"), "strong", 1e-4, 5e-3, 1e-3),
    (("adamw", "adam"), "weak", 3e-4, 1e-2, 2e-3),
    (("adamw", "adam"), "native", 3e-5, 2e-3, 2e-4),
    (("sgd",), "strong", 1e-3, 1e-1, 1e-2),
    (("sgd",), "weak", 1e-2, 3e-1, 5e-2),
    (("sgd",), "native", 3e-4, 3e-2, 3e-3),
)


def default_space(
    models: Sequence[ModelCard],
    image_sizes: Mapping[str, Sequence[int]],
    preset: str,
    n_train: int,
    *,
    alike: bool = False,
    lengths: Sequence[int] = (),
) -> Space:
    """What is searched when the user says nothing.

    `image_sizes` has the sides in pixels by model name, the default first; a model left out has no image size.
    The number of training samples bounds the batch size. Where the metric counts all classes `alike`, so does the loss
    by default. Texts may be cut at `lengths`, in words.

    Raises:
        UsageError: no model, or an unknown preset.
    """
    if not models:
        raise UsageError("a search needs at least one model, but got none.", "Name one: --models NAME")
    wanted = find_preset(preset)
    fixed = tuple(card.name for card in models if card.fixed)
    own = tuple(card.name for card in models if card.pretrained and (card.lr or card.native) and not card.fixed)
    new = [card for card in models if card.pretrained and card.name not in (*own, *fixed)]
    strong = tuple(card.name for card in new if not is_weak(card))
    weak = tuple(card.name for card in new if is_weak(card))
    scratch = tuple(card.name for card in models if not (card.pretrained or card.fixed))
    space = (
        _choice("model", [card.name for card in models], models[0].name),
        *_image_sizes(models, image_sizes),
        *_depth({DEEP: strong, WHOLE: weak, FIRST: own}, scratch, fixed),
        *(_weighted(key, CHOICES[key]) for key in ("optimizer", "schedule", "warmup", "clip")),
        *_rates(models),
        _choice("momentum", (0.9, 0.9, 0.95), 0.9, when={"optimizer": ("sgd",)}),
        _choice("nesterov", (False, True), False, when={"optimizer": ("sgd",)}),
        *_batches(n_train, wanted.breadth),
        Param(key="weight_decay", kind="float", low=1e-5, high=5e-2, log=True, default=DEFAULTS["weight_decay"]),
        *(_weighted(key, CHOICES[key]) for key in ("l1", "dropout", "label_smoothing")),
        _weighted("class_weights", ALIKE, "balanced")
        if alike
        else _weighted("class_weights", CHOICES["class_weights"]),
        _weighted("head_width", CHOICES["head_width"]),
        _choice("head_activation", ACTIVATIONS, "relu", when={"head_width": (128, 256, 512)}),
        *_augmentations(fixed, [card.name for card in models if not card.fixed]),
        *(_weighted(key, CHOICES[key]) for key, kinds in MIXED.items() if any(c.modality in kinds for c in models)),
        *_texts(models, lengths),
        _choice("epochs", (wanted.epochs,), wanted.epochs),
        _choice("patience", (wanted.patience,), wanted.patience),
    )
    space = edit(space, [_fitted(param, wanted.breadth) for param in space])
    space = edit(space, _fixed(wanted, space))
    validate(space)
    return space


def _choice(
    key: str, choices: Sequence[Scalar], default: Scalar, when: Mapping[str, Sequence[Scalar]] | None = None
) -> Param:
    conditions = {name: tuple(values) for name, values in (when or {}).items()}
    return Param(key=key, choices=tuple(choices), default=default, when=conditions)


def _weighted(key: str, weights: Mapping[Scalar, int], default: Scalar = None) -> Param:
    choices = [value for value, weight in weights.items() for _ in range(weight)]
    return _choice(key, choices, DEFAULTS[key] if default is None else default)


def _among(key: str, names: Sequence[str], others: Sequence[str]) -> dict[str, tuple[Scalar, ...]]:
    """The condition that the model is one of `names`; none is needed when there are no others."""
    return {key: tuple(names)} if others else {}


def _image_sizes(models: Sequence[ModelCard], image_sizes: Mapping[str, Sequence[int]]) -> Iterator[Param]:
    alike: dict[tuple[int, ...], list[str]] = {}
    for card in models:
        if image_sizes.get(card.name):
            alike.setdefault(tuple(image_sizes[card.name]), []).append(card.name)
    for sizes, names in alike.items():
        others = [card.name for card in models if card.name not in names]
        yield _choice("image_size", sizes, sizes[0], when=_among("model", names, others))


def _texts(models: Sequence[ModelCard], lengths: Sequence[int]) -> Iterator[Param]:
    """How much of a text is read, and how the vectors of its tokens are pooled by networks that have one for each."""
    names = [card.name for card in models if card.modality == "text"]
    others = [card.name for card in models if card.modality != "text"]
    if names:
        when = _among("model", names, others)
        yield _choice("text_length", (0, 0, *lengths) if lengths else (0,), 0, when=when)
        # What is left out matters where something is.
        cut = {**when, "text_length": tuple(lengths)} if lengths else when
        yield _choice("truncation", ("end", "end", "middle", "start") if lengths else ("end",), "end", when=cut)
    tokens = [card.name for card in models if card.modality == "text" and card.pretrained]
    if tokens:
        rest = [card.name for card in models if card.name not in tokens]
        yield _choice("pooling", ("auto", "auto", "mean"), "auto", when=_among("model", tokens, rest))


def is_weak(card: ModelCard) -> bool:
    """Pretrained, but on so little that most of the network must still be learned."""
    return card.pretrained and 0 < card.prior < WEAK


def _depth(own: Mapping[Frozen, Sequence[str]], scratch: Sequence[str], fixed: Sequence[str]) -> Iterator[Param]:
    """How deep to freeze; a network without pretrained weights is always trained whole, one with nothing to learn
    never."""
    pretrained = [name for names in own.values() for name in names]
    for (default, choices), names in {**own, ALL: fixed}.items():
        if names:
            others = [name for name in (*pretrained, *scratch, *fixed) if name not in names]
            yield _choice("freeze", choices, default, when=_among("model", names, others))
    if pretrained:
        yield _choice("layer_decay", (1.0, 1.0, 0.9, 0.75), 1.0, when=_among("model", pretrained, (*scratch, *fixed)))


def _augmentations(fixed: Sequence[str], others: Sequence[str]) -> Iterator[Param]:
    """Numbers are not augmented."""
    if others:
        yield replace(_weighted("augment", CHOICES["augment"]), when=_among("model", others, fixed))
    if fixed:
        yield _choice("augment", ("none",), "none", when=_among("model", fixed, others))


def _rates(models: Sequence[ModelCard]) -> Iterator[Param]:
    kinds = {card.name: _kind(card) for card in models}
    ranges = [*RATES, *(one for lr in dict.fromkeys(card.lr for card in models if card.lr) for one in _around(lr))]
    for optimizers, kind, low, high, default in ranges:
        names = [name for name, own in kinds.items() if own == kind]
        others = [name for name, own in kinds.items() if own != kind]
        if names:
            when = {"optimizer": optimizers, **_among("model", names, others)}
            yield Param(key="lr", kind="float", low=low, high=high, log=True, default=default, when=when)


def _around(lr: float) -> Iterator[tuple[tuple[str, ...], str, float, float, float]]:
    """As `RATES`, for networks whose cards name this rate."""
    for optimizers, factor in ((("adamw", "adam"), 1.0), (("sgd",), SGD)):
        low, high, default = (float(f"{factor * value:.3g}") for value in (lr / AROUND, lr * AROUND, lr))
        yield optimizers, f"{lr:g}", low, high, default


def _kind(card: ModelCard) -> str:
    """Which rates suit a network."""
    if card.pretrained and card.lr:
        return f"{card.lr:g}"
    if not card.pretrained or is_weak(card):
        return "weak"
    return "native" if card.native else "strong"


def _batches(n_train: int, breadth: Breadth) -> Iterator[Param]:
    """Sizes that leave at least `STEPS` steps in an epoch; for very small data the smallest size, 4."""
    wished = (8, 16, 32, 64, 128) if breadth == "wide" else (16, 32, 64)
    sizes = [size for size in wished if n_train // size >= STEPS]
    sizes = sizes or [next((size for size in (8, 4) if n_train // size >= STEPS), 4)]
    yield _choice("batch_size", sizes, max((size for size in sizes if size <= 32), default=sizes[0]))


def _fixed(preset: Preset, space: Space) -> Iterator[Param]:
    """The parameters that a preset does not search, under the conditions that they have without it."""
    for key, value in preset.fixed.items():
        if key in PRETRAINED:
            yield from (replace(p, choices=(value,), default=value) for p in space if p.key == key)
        else:
            yield _choice(key, (value,), value)


def _fitted(param: Param, breadth: Breadth) -> Param:
    """The parameter as wide as the preset wants it."""
    if breadth == "narrow" and param.key in FIXED_WHEN_NARROW:
        return replace(param, choices=(param.default,))
    if breadth == "wide" and param.key in WIDER and len(param.choices) > 1:
        return replace(param, choices=(*param.choices, *WIDER[param.key]))
    if breadth == "wide" and param.key == "lr":
        return replace(param, low=float(f"{param.low / 3:.1g}"), high=2 * param.high)
    return param
