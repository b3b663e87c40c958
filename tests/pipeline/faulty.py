"""A plugin whose observers fail."""

from __future__ import annotations

from typing import Any

from autoft.api import hookimpl


@hookimpl
def autoft_search_started(folder: str) -> None:
    raise OSError("the tracking server is down")


@hookimpl
def autoft_trial_reported(number: int) -> None:
    raise ValueError("cannot log epochs")


@hookimpl
def autoft_search_finished(summary: dict[str, Any]) -> None:
    raise OSError("the tracking server is down")
