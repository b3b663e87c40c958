"""`leaderboard.csv`: every ended trial with its whole configuration, best first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoft.atomic import write_text
from autoft.ranking import rank
from autoft.records import Metric, TrialResult
from autoft.report.tabular import csv_text


def write_leaderboard(results: Sequence[TrialResult], metric: Metric, path: Path) -> None:
    """Write the ranking. A trial without a score has no rank and stands at the end."""
    write_text(path, csv_text(rows(results, metric)))


def rows(results: Sequence[TrialResult], metric: Metric) -> list[dict[str, Any]]:
    """One flat row per trial: outcome, metrics, network, recipe, cost. The same columns in every row."""
    names = list(dict.fromkeys([metric.name, *(name for result in results for name in result.metrics)]))
    keys = list(dict.fromkeys(key for result in results for key in result.recipe.flat() if key != "model"))
    return [_row(place, result, names, keys) for place, result in enumerate(rank(results, metric), start=1)]


def _row(place: int, result: TrialResult, names: Sequence[str], keys: Sequence[str]) -> dict[str, Any]:
    recipe = result.recipe.flat()
    return {
        "rank": None if result.score is None else place,
        "trial": result.name,
        "status": result.status,
        "score": result.score,
        "combined": result.combined,
        "finer": result.finer,
        **{name: result.metrics.get(name) for name in names},
        "model": result.model,
        "backend": result.backend,
        "seed": result.seed,
        "division": result.division,
        **{key: recipe.get(key) for key in keys},
        "best_epoch": result.best_epoch,
        "trained_epochs": result.epochs,
        "seconds": round(result.seconds, 2),
        "reason": result.reason,
    }
