"""What peaks of each class weigh in the loss of heat maps: mAP counts classes alike, a sum over peaks does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from autoft.api import Dataset, Schema
from autoft_detection._classes import scored

KEY = "class_weights"
"""Under it a schema keeps them."""
POWER = 0.5
"""Of how rare a class is: 1 would weigh all classes alike, 0 all peaks."""
MOST = 4.0
"""Weight of a class of which there are hardly any."""


def weights(dataset: Dataset, classes: Sequence[str]) -> list[float]:
    """One for each class, 1 on average over boxes. The test part is not looked at."""
    sizes = Counter(name for sample in dataset.samples if sample.split != "test" for name in scored(sample))
    mean = sizes.total() / len(classes)
    plain = [(mean / sizes[name]) ** POWER if sizes[name] else 0.0 for name in classes]
    whole = sum(sizes[name] * weight for name, weight in zip(classes, plain, strict=True)) or 1.0
    return [round(min(MOST, weight * sizes.total() / whole), 3) or 1.0 for weight in plain]


def of(schema: Schema) -> tuple[float, ...]:
    """What the schema keeps; none where all classes weigh the same."""
    found = tuple(float(weight) for weight in schema.extra.get(KEY, ()))
    return found if len(set(found)) > 1 else ()
