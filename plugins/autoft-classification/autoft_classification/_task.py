"""`ImageClassification`: one class per image."""

from __future__ import annotations

from autoft.api import Classification, class_metrics


class ImageClassification(Classification):
    """One class per image."""

    name = "image-cls"
    modality = "image"
    inputs = ("image",)
    metrics = class_metrics("images")
