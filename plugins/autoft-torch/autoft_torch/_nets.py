"""The network of a job: of its own head where its card has one for the problem, else a trunk under new heads."""

from __future__ import annotations

from autoft.api import Job
from autoft_torch._net import Net


def network(job: Job, *, weights: bool) -> Net:
    """With the card's weights, or with random arrays that are still to be filled in.

    Raises:
        TrialFailed: the weights are not on this machine, or do not fit.
    """
    if job.card.native_for(job.problem):
        from autoft_torch import _native

        return _native.network(job, weights=weights)
    from autoft_torch._composed import Composed

    return Composed.of(job, weights=weights)
