"""`Metric`: a number by which models are compared, and what is known of it."""

from __future__ import annotations

from typing import Literal

from autoft.errors import UsageError
from autoft.record import Record

Mode = Literal["max", "min"]


class Metric(Record):
    """A number by which models are compared."""

    name: str
    mode: Mode = "max"
    summary: str = ""
    percent: bool = False
    """Shown as a percentage."""
    best: float | None = None
    """The best value that it can have, where there is one: a search that reaches it has nothing left to gain."""
    alike: bool = False
    """All classes count alike in it, however few samples they have: by default they then do so in the loss."""
    blank: float | None = None
    """Its value for a model that has learned nothing, where known: values hardly better do not rank trials."""
    share: bool = False
    """Whether it is the mean over the samples of a number that is 0 or 1 for each: then there is an exact interval
    where resamples tell nothing."""
    together: bool = False
    """Whether the rows of several folds, each predicted by a model of its own, are scored as one set. Not where what
    one model says is ranked against what another says (areas under curves, average precisions, correlations): models
    that put the same ranking at different levels would be worse together than each alone."""
    stand_in: Metric | None = None
    """Decides between models whose values are hardly better than `blank`, or worse. Both need `best` and `blank`."""
    finer: Metric | None = None
    """On few samples counts beside it where models are compared: of the same range, but less a matter of chance."""

    @property
    def sign(self) -> float:
        """What turns its values so that larger is better."""
        return 1.0 if self.mode == "max" else -1.0

    def __post_init__(self) -> None:
        if self.finer and self.finer.mode != self.mode:
            raise UsageError(
                f"what counts beside a metric must have the same direction, but {self.name} has mode={self.mode} and "
                f"{self.finer.name} mode={self.finer.mode}."
            )
        if self.stand_in and None in (self.best, self.blank, self.stand_in.best, self.stand_in.blank):
            raise UsageError(
                f"a metric that another one stands in for needs best and blank, as does that one, but {self.name} or "
                f"{self.stand_in.name} lacks one."
            )
