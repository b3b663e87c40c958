"""`ImageMultiLabel`: any number of labels per image."""

from __future__ import annotations

from autoft.api import MultiLabel


class ImageMultiLabel(MultiLabel):
    """Any number of labels per image, none of them included."""

    name = "image-multilabel"
    modality = "image"
    inputs = ("image",)
