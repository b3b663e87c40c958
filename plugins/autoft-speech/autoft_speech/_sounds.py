"""`AudioClassification`: one class per recording; `AudioMultiLabel`: any number of labels."""

from __future__ import annotations

from autoft.api import Classification, MultiLabel, class_metrics


class AudioClassification(Classification):
    """One class per recording."""

    name = "audio-cls"
    modality = "audio"
    inputs = ("audio",)
    metrics = class_metrics("recordings")


class AudioMultiLabel(MultiLabel):
    """Any number of labels per recording, none of them included."""

    name = "audio-multilabel"
    modality = "audio"
    inputs = ("audio",)
