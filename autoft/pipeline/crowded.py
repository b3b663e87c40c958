"""Recordings in which more is said than there are frames to say it in: no network learns from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from autoft.contracts import Task
from autoft.names import listed
from autoft.pipeline.prepare import Checked
from autoft.records import Problem

FRAME: Final = 0.04
"""Seconds of one frame of the output, in the networks with the fewest frames that are at hand."""


def told(task: Task, checked: Checked, ways: Mapping[str, Mapping[str, Problem]]) -> str:
    """What to say of such recordings; empty where there are none, or nothing is told frame by frame.

    Where a transcript needs more frames than its recording has, with one between equal signs, its loss counts as 0.
    """
    problem = next((one for named in ways.values() for one in named.values() if _by_frames(one)), None)
    if problem is None:
        return ""
    heard = zip(checked.dataset.samples, checked.seconds.tolist(), strict=True)
    seconds = {sample.id: each for sample, each in heard if each and sample.split in ("", "train")}
    samples = [sample for sample in checked.dataset.samples if sample.id in seconds]
    if not samples:
        return ""
    signs = task.encode(samples, checked.schema, problem)[problem.outputs[0].target]
    needed = (signs >= 0).sum(1) + ((signs[:, 1:] == signs[:, :-1]) & (signs[:, 1:] >= 0)).sum(1)
    room = np.array([seconds[sample.id] for sample in samples]) / FRAME
    names = [sample.id for sample, many in zip(samples, needed > np.ceil(room), strict=True) if many]
    if not names:
        return ""
    return (
        f"{len(names):,} of {len(samples):,} recordings are too short for their transcripts, which say more than "
        f"{1 / FRAME:.0f} signs a second: {listed(sorted(names))}. Networks with frames of {1000 * FRAME:.0f} ms learn "
        "nothing from them. Are these the right transcripts?"
    )


def _by_frames(problem: Problem) -> bool:
    return any(output.loss == "ctc" for output in problem.outputs)
