"""How many samples are computed at a time."""

from __future__ import annotations

from autoft.api import Job

#: Pixels in one batch of predictions, and images.
PIXELS, IMAGES = 64 * 224 * 224, 512
#: Numbers of maps of a batch that are held at a time.
HELD = 1 << 25
#: Texts or recordings in one batch of predictions.
ROWS = 32


def size(job: Job) -> int:
    """Samples in one batch of predictions."""
    if job.card.modality != "image":
        return ROWS
    most = min(IMAGES, PIXELS // job.image_size**2)
    for output in job.problem.outputs:
        if output.head == "dense":
            most = min(most, HELD // output.size // job.image_size**2)
    return max(1, most)
