"""The errors a user can meet, each with the exit code that the command ends with.

A message states the law that was broken, the value that broke it and what to do. `TrialFailed` ends one
trial; every other error ends the command.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_INTERNAL = 1
EXIT_USAGE = 2
EXIT_DATA = 3
EXIT_NO_TRIAL = 4
EXIT_NO_BUDGET = 5
EXIT_INTERRUPTED = 130


class AutoftError(Exception):
    """Base of every error with words meant for the user.

    `hint` is one more line: what to do about it.
    """

    exit_code = EXIT_INTERNAL

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[AutoftError], tuple[str, str]]:
        # Errors cross process borders; without this, pickle would lose `hint`.
        return type(self), (self.message, self.hint)


class UsageError(AutoftError):
    """A wrong option, an unknown name, a value out of its range."""

    exit_code = EXIT_USAGE


class DataError(AutoftError):
    """The data cannot be used as they are."""

    exit_code = EXIT_DATA


class NoTrialSucceeded(AutoftError):
    """Every trial failed; the message carries the first failure."""

    exit_code = EXIT_NO_TRIAL


class BudgetEnded(AutoftError):
    """Time ran out before any model was usable."""

    exit_code = EXIT_NO_BUDGET


class Interrupted(AutoftError):
    """Ctrl-C or SIGTERM; the best model so far is kept."""

    exit_code = EXIT_INTERRUPTED


class PluginError(AutoftError):
    """A plugin broke a rule that the whole program depends on (duplicate name, misspelt hook)."""

    exit_code = EXIT_USAGE


class TrialFailed(AutoftError):
    """This trial cannot go on (bad configuration, loss not finite). The search continues."""
