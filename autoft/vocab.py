"""The closed words that tasks and backends share, and the check that a word is one of them.

A task describes its problem in these words, a backend says which of them it supports; neither names the
other. A word outside the lists is allowed only as ``vendor:word``: it is then understood by that vendor's
plugins alone, and the support matrix shows the gap.
"""

from __future__ import annotations

import difflib
from typing import Final

from autoft.errors import UsageError

#: What one sample consists of. A reader yields these, a task names which of them it needs.
FIELDS: Final = (
    "image",  # path of an image file; uint8 (height, width, 3) once decoded
    "mask",  # what the classes of the pixels are: a `shapes.Mask`, as plain values
    "boxes",  # list of (x1, y1, x2, y2, class name), pixels of the upright image; a sixth item is why not to score it
    "size",  # (width, height) of the upright image in pixels, for tasks that say where something is
    "label",  # one class name
    "labels",  # several class names
    "audio",  # path of a recording
    "piece",  # (begin, end) in seconds, where a part of the recording is meant
    "transcript",  # what is said in a recording
    "text",  # a text, or a tuple of texts
    "columns",  # a table row: name -> number or word
    "value",  # one real number
)

#: Under this name a feed gives what a frozen prefix gave, in place of the inputs. No reader yields it.
ACTIVATION: Final = "activation"

#: What a pretrained network takes in.
MODALITIES: Final = (
    "image",
    "audio",
    "text",
    "tabular",
    "cepstra",  # a few numbers that say how a recording sounds, see `autoft.data.cepstrum`
)

#: Field of a sample -> modalities of the networks that can take it, the nearest first. A feed gives it under the word
#: of the network's modality: a recording is shown to a network for images as its log-mel spectrogram.
TAKEN_BY: Final = {
    "image": ("image",),
    "audio": ("audio", "image", "cepstra"),
    "text": ("text",),
    "columns": ("tabular",),
}

#: The shape of what a network gives out.
HEADS: Final = (
    "pooled",  # (samples, size): one vector for the whole sample
    "dense",  # (samples, height, width, size): one vector for each position, at stride 4
    "sequence",  # (samples, frames, size): one vector for each time step
    "boxes",  # (samples, most, 6): x1, y1, x2, y2 in fractions, score, class index; best first, -1 in empty rows
)

#: What is minimised. Each has a numpy reference in `autoft.testing.reference`.
LOSSES: Final = (
    "cross_entropy",
    "binary_cross_entropy",
    "focal",
    "heatmap",
    "mse",
    "mae",
    "huber",
    "dice",
    "ce_dice",  # the sum of cross_entropy and dice
    "ctc",
    "native",  # that of the network's own head, which compares with what `Task.encode` gives
)

#: What turns raw outputs into what a task decodes.
POSTS: Final = (
    "softmax",
    "sigmoid",
    "identity",
    "argmax",  # index of the largest channel, uint8 (uint16 beyond 255); dense: at the side of the feed's images
)

#: In masks, the largest number that their type holds marks pixels that belong to no class: 255, or 65535.
IGNORED: Final = {"uint8": 255, "uint16": 65535}

#: A box of class c that is neither to be found nor to be missed has the code `UNTAUGHT - c`; so have crowds.
UNTAUGHT: Final = -2

#: How weights are found. "solve" takes no steps: the head alone, in closed form or by L-BFGS (`Recipe.head_init`).
OPTIMIZERS: Final = ("adamw", "adam", "sgd", "solve")
#: What a head starts from: random numbers, or the solution on the frozen features.
HEAD_INITS: Final = ("random", "ridge", "logistic")
SCHEDULES: Final = ("cosine", "linear", "constant")
AUGMENTS: Final = ("none", "light", "trivial", "strong")
ACTIVATIONS: Final = ("relu", "gelu", "tanh")
NORMS: Final = ("batch", "kept")
TRUNCATIONS: Final = ("end", "start", "middle")
POOLINGS: Final = ("auto", "first", "mean", "max", "last", "levels")
PRECISIONS: Final = ("auto", "fp32", "bf16", "fp16")

LISTS: Final = {
    "field": FIELDS,
    "modality": MODALITIES,
    "head": HEADS,
    "loss": LOSSES,
    "post": POSTS,
    "optimizer": OPTIMIZERS,
    "head_init": HEAD_INITS,
    "schedule": SCHEDULES,
    "augment": AUGMENTS,
    "activation": ACTIVATIONS,
    "precision": PRECISIONS,
    "truncation": TRUNCATIONS,
    "pooling": POOLINGS,
    "norms": NORMS,
}


def index_type(classes: int) -> str:
    """The type of numbers of classes, in masks and in what `argmax` gives: one number is kept free (`IGNORED`)."""
    return "uint8" if classes <= IGNORED["uint8"] else "uint16"


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """`` Did you mean 'x'?`` for the nearest known word, or an empty string when nothing is near."""
    near = difflib.get_close_matches(word.lower(), [k.lower() for k in known], n=1, cutoff=0.6)
    match = next((k for k in known if near and k.lower() == near[0]), None)
    return f" Did you mean '{match}'?" if match else ""


def check(kind: str, word: str) -> str:
    """Return `word` if it belongs to the list `kind` or is a ``vendor:word``.

    Raises:
        UsageError: the word is neither; the message names the nearest known word.
    """
    known = LISTS[kind]
    vendor, _, own = word.partition(":")
    if word in known or (vendor and own):
        return word
    raise UsageError(f"{kind} must be one of {', '.join(known)}, but got '{word}'.{did_you_mean(word, known)}")
