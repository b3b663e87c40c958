"""The flat strategy's parts, by the names that the user gave: who proposes, and who decides where Ray does not."""

from __future__ import annotations

from typing import NamedTuple

from autoft.contracts import Searcher
from autoft.options import SearchOptions
from autoft.pipeline.plan import Plan
from autoft.registry import Registry
from autoft.search import halved, listed
from autoft.search.settings import HALVING
from autoft.search.strategy import Facts, Strategy
from autoft.search.unscheduled import Unscheduled


class Proposals(NamedTuple):
    """Who proposes."""

    searcher: Searcher
    together: int
    """How many are compared with each other."""


def of(registry: Registry, options: SearchOptions, plan: Plan) -> Proposals:
    """The list that the user gave, or a searcher.

    Raises:
        UsageError: the list cannot be read.
    """
    if plan.listed:
        return Proposals(listed.ListedSearch(plan.listed, plan.space), len(plan.listed))
    searcher = registry.get("searcher", options.searcher).start(plan.space, plan.metric.mode, options.seed)
    return Proposals(searcher, halved.ROUND)


def strategy(scheduler: str, facts: Facts, proposals: Proposals) -> Strategy:
    """What tries the proposals without a scheduler of Ray: `halving`, or `none` that stops nothing."""
    if scheduler == HALVING:
        return halved.Halved(facts, *proposals)
    return Unscheduled(proposals.searcher, facts.trials)
