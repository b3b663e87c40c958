"""What Ray's errors say, in a line. Imported by `ray.py` alone, which sets Ray's switches first."""

from __future__ import annotations

from typing import Any

import ray

from autoft.search.outcome import FEWER, Failure, TrialLost


def failure_of(trial: Any) -> Failure:
    """Why Ray gave up one of its trials."""
    error = trial.get_pickled_error() or trial.get_error()
    cause = getattr(error, "cause", None)
    if isinstance(cause, TrialLost):
        return cause.failure
    return Failure(reason=_reason(error), traceback=str(error or _reason(error)), lost=True)


def _reason(error: BaseException | None) -> str:
    """Why a worker is lost: the last line of a traceback. Where Ray itself ended it, or lost it, pages of advice stand
    behind the line that says so."""
    lines = str(error or "").strip().splitlines() or ["the worker process died"]
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return f"{lines[0].partition('. ')[0].rstrip('.')}: {FEWER}"
    traced = isinstance(error, ray.exceptions.RayTaskError) or getattr(error, "actor_init_failed", False)
    if traced or not isinstance(error, ray.exceptions.RayError):
        return lines[-1]
    return next((line.strip() for line in lines if "is dead because" in line), lines[0])


def secret(error: BaseException) -> str:
    """What to do where a cluster cannot be joined since it asks for Ray's token; empty where it does not."""
    seen: BaseException | None = error
    words = ""
    while seen is not None:
        words, seen = f"{words} {type(seen).__name__} {seen}", seen.__cause__ or seen.__context__
    if "AuthenticationError" not in words:
        return ""
    return (
        "The cluster asks for a token. Set RAY_AUTH_MODE=token where this machine has it (`ray get-auth-token`), or "
        "give --address auto on a machine of the cluster."
    )
