"""How far augmentation goes by its policy, the same on every backend. `none` is in none of these tables, or changes
nothing.

Of images, `light` turns each by up to 10 degrees, zooms by 0.85 to 1.1, shifts by up to 6 % of the side, and changes
brightness, contrast and saturation a little (`LIGHT`). No flips: digits, letters and hand signs are another thing when
mirrored.

Of images with boxes or masks, which move with them (`MOVES`), nothing is turned, so boxes stay boxes:

light    zoomed by 0.75 to 1.33, shifted by up to 12 % of the side, changed a little in brightness, contrast and
         saturation. Boxes are not mirrored: signs and letters are another thing then. Masks are, left and right, half
         of the time: what an area is made of is the same then (docs/adr/0073-behind-an-epoch.md).
trivial  as light, and mirrored half of the time.
strong   as trivial, zoomed by 0.5 to 2, stretched by up to a quarter, shifted by up to a quarter, and changed more in
         colour (the scale jitter of SSD, Liu et al., 2016, and of Ghiasi et al., 2021).

Of recordings that are seen as pictures (`COVERS`): rows are bands, columns are time. Nothing is turned or mirrored:
time has a direction, and high is not low.

light    each moved in time by up to 8 % of its width, in pitch by up to 4 % of its height; one stretch of time and one
         of bands covered (SpecAugment, Park et al., 2019).
trivial  the same, moved and covered farther.
strong   farther still, two stretches of each covered, and noise on all of it.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Light(NamedTuple):
    """How far `light` changes images that have no places in them."""

    turn: float
    """Degrees."""
    zoom: tuple[float, float]
    shift: float
    colour: float


class Mask(NamedTuple):
    """How recordings are masked of which a network sees frames, and how far their speed changes."""

    bands: int
    """Masks over bands."""
    times: int
    """Masks over time."""
    speed: float


class Move(NamedTuple):
    """How far images move."""

    zoom: float
    stretch: float
    shift: float
    colour: float
    flip: bool


class Cover(NamedTuple):
    """How far recordings are moved and covered; shares of the picture's sides."""

    across: float
    up: float
    covers: int
    widest: float
    noise: float
    """Of the range of grey."""


LIGHT: Final = Light(10.0, (0.85, 1.1), 0.06, 0.2)
MOVES: Final = {
    "light": Move(1.33, 1.0, 0.12, 0.2, False),
    "trivial": Move(1.33, 1.0, 0.12, 0.2, True),
    "strong": Move(2.0, 1.25, 0.25, 0.4, True),
}
GREY: Final = 128.0
"""What is seen beyond the image's edge."""
LEAST_LEFT: Final = 0.3
"""A box of which less than this share of its area is left in the image is neither to be found nor to be missed."""
COVERS: Final = {
    "light": Cover(0.08, 0.04, 1, 0.1, 0.0),
    "trivial": Cover(0.12, 0.06, 1, 0.2, 0.0),
    "strong": Cover(0.15, 0.08, 2, 0.2, 0.05),
}
FRAME_MASKS: Final = {
    "none": Mask(0, 0, 0.0),
    "light": Mask(1, 2, 0.05),
    "trivial": Mask(1, 2, 0.1),
    "strong": Mask(2, 4, 0.1),
}
WIDEST_MASK: Final = (12, 0.05)
"""Of one mask: bands, and the share of all frames."""
WORDS_DROPPED: Final = {"none": 0.0, "light": 0.3, "trivial": 0.4, "strong": 0.5}
"""Share of the words and their pieces that a step leaves out. Without it, a table of them learns the texts by heart."""
TOKENS_HIDDEN: Final = {"none": 0.0, "light": 0.05, "trivial": 0.1, "strong": 0.15}
"""Share of the tokens that a step hides from an encoder: at most as many as in the pretraining of BERT."""
