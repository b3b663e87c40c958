"""`python -m autoft.testing.rebuild JSON`: what a worker does, as the backend kit checks it: from names and
numbers alone, build or load a learner and write what it predicts on the toy feed.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np

from autoft.records import Job, Record, from_json
from autoft.testing import toys


class Order(Record):
    """What to rebuild."""

    backend: str
    """`module:Class`."""
    job: Job
    count: int
    size: int
    out: str
    """Path of the .npz file for the predictions."""
    weights: str = ""
    """Folder that `Learner.save` wrote; empty builds afresh."""


def main(text: str) -> None:
    order = from_json(text, Order)
    module, _, name = order.backend.partition(":")
    backend = getattr(importlib.import_module(module), name)()
    learner = backend.load(order.job, Path(order.weights)) if order.weights else backend.build(order.job)
    with Path(order.out).open("wb") as file:
        np.savez(file, **learner.predict(toys.feed(order.job.problem, order.count, order.size)))


if __name__ == "__main__":
    main(sys.argv[1])
