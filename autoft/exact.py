"""Exact intervals of shares, for samples of which every resample is the same: a bootstrap has no width there, and the
score is as uncertain as the samples are few.

All of n right says that a share below p would have given that with a chance of less than the tail, where p ** n is the
tail (Clopper and Pearson, 1934); at 95 % p is about 1 - 3.7 / n.
"""

from __future__ import annotations

Band = tuple[float, float]


def share(value: float, count: int, tail: float) -> Band | None:
    """The interval of a share that is 0 or 1 on `count` samples; None where it is neither.

    Args:
        tail: chance that each side of the interval leaves out.
    """
    least = tail ** (1 / count)
    return {0.0: (0.0, 1 - least), 1.0: (least, 1.0)}.get(value)


def gain(value: float, count: int, tail: float) -> Band | None:
    """The interval of a gain in a share, where on `count` samples both models are right and wrong alike (0), or one
    is right wherever the other is wrong (1 or -1); None where it is neither.

    Of those samples of the other kind that the bound allows for, each may be of the worst kind.
    """
    least = tail ** (1 / count)
    return {0.0: (least - 1, 1 - least), 1.0: (2 * least - 1, 1.0), -1.0: (-1.0, 1 - 2 * least)}.get(value)
