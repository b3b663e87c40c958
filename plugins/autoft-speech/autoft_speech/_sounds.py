"""`AudioClassification`: one class per recording."""

from __future__ import annotations

from autoft.api import Classification, class_metrics


class AudioClassification(Classification):
    """One class per recording."""

    name = "audio-cls"
    modality = "audio"
    inputs = ("audio",)
    metrics = class_metrics("recordings")
