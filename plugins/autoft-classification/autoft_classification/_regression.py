"""`ImageRegression`: one number per image."""

from __future__ import annotations

from autoft.api import Regression


class ImageRegression(Regression):
    """One number per image, such as a count, an age or a price."""

    name = "image-reg"
    modality = "image"
    inputs = ("image",)
