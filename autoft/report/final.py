"""What a summary says of the model that the search gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autoft.records import Metric
from autoft.report.words import count, duration, gain, score, scored_at


def compared(summary: Mapping[str, Any]) -> bool:
    """Whether that model is another one than the baseline's: only then there is a gain to speak of."""
    same = (summary.get("baseline") or {}).get("trial") == (summary.get("best") or {}).get("trial")
    return not same or refitted(summary)


def gained_in(test: Mapping[str, Any], metric: Metric) -> Metric:
    """The metric that the gain is in: where that of the search tells the two models apart by nothing, what stands in
    for it."""
    other = metric.stand_in
    return other if other is not None and test.get("gain_metric") == other.name else metric


def interval(part: Mapping[str, Any], percent: bool, before: str = "") -> str:
    """That of a score, as `95.1% to 98.3%` behind `before`, and what must be said of it; why there is none; empty where
    nothing is known."""
    return _span(part.get("interval"), part.get("interval_note"), before, lambda value: score(value, percent))


def gain_interval(test: Mapping[str, Any], percent: bool, before: str = "") -> str:
    """The same of the gain over the baseline."""
    return _span(test.get("gain_interval"), test.get("gain_note"), before, lambda value: gain(value, percent))


def _span(bounds: Any, note: Any, before: str, shown: Callable[[float | None], str]) -> str:
    ends = f"{before}{shown(bounds[0])} to {shown(bounds[1])}" if bounds else ""
    return "; ".join(part for part in (ends, str(note or "")) if part)


def refitted(summary: Mapping[str, Any]) -> bool:
    """Whether it has learned from the validation part as well."""
    return bool((summary.get("refit") or {}).get("samples"))


def masks(summary: Mapping[str, Any]) -> str:
    """How fine the masks are that scores were measured on; empty where none are predicted, or nothing says so."""
    side = int(summary.get("scored_at") or 0)
    return scored_at(side) if side else ""


def sentence(summary: Mapping[str, Any]) -> str:
    """What the model learned from, where the search was to train the best configuration once more; else empty."""
    again = summary.get("refit") or {}
    if refitted(summary):
        samples = count(int(again["samples"]), "sample")
        epochs, seconds = count(int(again["epochs"]), "epoch"), duration(again["seconds"])
        trial = (summary.get("best") or {}).get("trial", "the best trial")
        told = f"{trial} was trained once more, on the {samples} of training and validation ({epochs}, {seconds})"
        told += _worse(summary, again.get("checked") or {})
        return told if not summary.get("baseline") else f"{told}; the baseline was not"
    return f"learned from the training part alone: {again['left_out']}" if again.get("left_out") else ""


def _worse(summary: Mapping[str, Any], checked: Mapping[str, Any]) -> str:
    """That it does worse on what it has learned than the trial did, where it does."""
    if not checked:
        return ""
    found, before = float(checked["score"]), float(checked["before"])
    if (found > before) if summary.get("mode") == "min" else (found < before):
        return (
            f"; its {summary.get('metric')} on validation is {found:.4g} after {before:.4g} of the trial, a difference "
            f"that chance explains (up to {float(checked['allowed']):.2g} with {count(int(checked['rows']), 'sample')})"
        )
    return ""
