"""In which precision a saved model computes."""

from __future__ import annotations

from msgspec.structs import replace

from autoft.records import Job


def to_predict(job: Job, *, gpu: bool) -> Job:
    """The job of a saved model that is to predict: in fp32 where it was trained in fp16 and there is no GPU."""
    if gpu or job.recipe.precision != "fp16":
        return job
    return replace(job, recipe=replace(job.recipe, precision="fp32"))
