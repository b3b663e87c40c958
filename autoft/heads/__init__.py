"""Linear heads on pooled features, solved instead of trained: ridge in closed form, logistic by L-BFGS.

With features x scaled to mean 0 and mean square 1 over the training rows, a head minimises

    mean loss + strength / 2 * |weights|^2        (the bias is free)

so one grid of strengths, say 1e-4 to 1e4, serves all networks. The scaling is folded into the weights.

ridge      half the squared error to the targets, to 0 and 1 for classes (Hastie et al., 2009, chapters 3.4 and 4.2).
           Its scores are then scaled by what fits the scores that leave each row out best, which cost nothing more
           (Allen, 1974): one factor for softmax; factor and offset per channel for sigmoid (Platt, 1999).
logistic   the cross-entropy itself, over classes or per channel. For real numbers there is none: it is ridge then.

mae and huber are solved as mse, focal as binary_cross_entropy: the nearest that have a solution. Class weights count
for cross_entropy alone.

What was solved stays for a while in this process, so that many strengths on the same features cost one decomposition.
"""

from __future__ import annotations

from autoft.heads.encode import distinct, finish, loss, refusal, solvable
from autoft.heads.solvers import Head, leave_one_out, path, solve
from autoft.heads.validate import left_out

__all__ = [
    "distinct",
    "Head",
    "finish",
    "leave_one_out",
    "left_out",
    "loss",
    "path",
    "refusal",
    "solvable",
    "solve",
]
