"""What a backend lacks for a problem, told from the words that it knows."""

from __future__ import annotations

from collections.abc import Sequence

from autoft.records import ModelCard, Problem
from autoft.vocab import TAKEN_BY


def missing_word(
    problem: Problem,
    card: ModelCard,
    *,
    modalities: Sequence[str],
    heads: Sequence[str],
    losses: Sequence[str],
    posts: Sequence[str],
) -> str:
    """The first word of the problem that is not among those known, or that the network has no features for; else empty.

    For `Backend.supports`. `modalities` are those of the networks that the backend can train.
    """
    for field in problem.inputs:
        taken_by = TAKEN_BY.get(field, ())
        if not set(taken_by) & set(modalities):
            return f"no input '{field}' (trains networks for {', '.join(modalities)})"
        if card.modality not in taken_by:
            return f"{card.name} is a network for {card.modality}, not for '{field}'"
    if card.modality not in modalities:
        return f"no networks for {card.modality} (trains networks for {', '.join(modalities)})"
    for output in problem.outputs:
        for kind, word, known in (
            ("head", output.head, heads),
            ("loss", output.loss, losses),
            ("post", output.post, posts),
        ):
            if word not in known:
                return f"no {kind} '{word}' (has {', '.join(known)})"
        if output.head not in card.heads:
            return f"{card.name} has no {output.head} features"
        if output.loss == "native" and output.head not in card.native:
            return f"no loss 'native' for {output.head}: {card.name} has no head of its own for them"
    if card.native_for(problem) and len(problem.outputs) > 1:
        return f"the own head of {card.name} gives one output, but {len(problem.outputs)} are needed"
    return ""
