"""Networks that bring a head of their own for maps or boxes: it is kept, and only what hangs on the classes is new.

The module of such a library (`_trunks`) gives a trunk that reaches to the end of the own head, in the place of one that
ends with features, and a function ``own(job)`` that tells the rest.
"""

from __future__ import annotations

from typing import Any, Protocol

import keras

from autoft.api import Job, Output
from autoft_keras import _trunks

Tensor = Any


class Own(Protocol):
    """What a network with its own head needs beside its trunk."""

    def body(self, trunk: keras.Model) -> keras.Model:
        """The part of the trunk that is frozen, in blocks: what lies behind it belongs to the head."""
        ...

    def heads(self, features: Any, output: Output) -> Tensor:
        """Raw output of what the trunk gives, by new layers named ``heads.``."""
        ...

    def shape(self, output: Output) -> tuple[int | None, ...]:
        """Of the raw output."""
        ...


class Boxes(Own, Protocol):
    """One that also compares with boxes, and finds them, in its own way."""

    def loss(self, raw: Tensor, boxes: Tensor) -> Tensor:
        """A number; `boxes` (n, m, 5) are x1, y1, x2, y2 in fractions and the class. Rows without area, or of a class
        below 0, teach nothing."""
        ...

    def found(self, raw: Tensor) -> Tensor:
        """(n, `Output.most`, 6): x1, y1, x2, y2 in fractions, score, class; best first, -1 in empty rows."""
        ...


def of(job: Job) -> Any:
    """The `Own` of a job's network, or `Boxes` where those are asked for; None where heads are new."""
    return _trunks.library(job.card).own(job) if job.card.native_for(job.problem) else None
