"""In which precision a saved model computes."""

from __future__ import annotations

from msgspec.structs import replace

from autoft.records import Job


def to_predict(job: Job, *, gpu: bool, bf16: bool = True) -> Job:
    """The job of a saved model that is to predict: in fp32 where it was trained in fp16 and there is no GPU, or where a
    CPU chose bf16 and this one has none.

    Args:
        bf16: whether this CPU computes bf16 as quickly.
    """
    slow = job.recipe.precision == "fp16" or (job.recipe.precision == "bf16" and not bf16)
    if gpu or not slow:
        return job
    return replace(job, recipe=replace(job.recipe, precision="fp32"))
