"""Listeners that show a search: a live table on a terminal, plain lines elsewhere, the outcome alone, or JSON."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from autoft.cli import outcome, told
from autoft.cli.board import Board
from autoft.events import DataRecognised, Event, Finished, Note, Planned, TrialFinished
from autoft.report.words import clean


class _Deaf:
    """What is left of a screen in another process."""

    def __call__(self, event: Event) -> None:
        pass


class Screen:
    """Plain lines, one per ended trial; the base of the live screen. Call it with events."""

    def __init__(self, out: TextIO, *, verbose: bool = False, quiet: bool = False, closing: bool = True) -> None:
        self.board = Board()
        self.out = out
        self.verbose = verbose
        self.quiet = quiet
        self.closing = closing
        """Tell the outcome. Not with --json, where the summary itself is the outcome."""

    def __reduce__(self) -> tuple[type[_Deaf], tuple[()]]:
        # Schedulers save whatever they hold, listeners included; a terminal cannot be saved, and need not be.
        return _Deaf, ()

    def __call__(self, event: Event) -> None:
        self.take(event)
        match event:
            case Note():
                self.note(event)
            case DataRecognised():
                self.tell(*told.data(event))
            case Planned():
                self.tell(*told.plan(event, event.deadline - time.time()))
            case TrialFinished():
                self.finished(event)
            case Finished():
                self.close()

    def take(self, event: Event) -> None:
        self.board.take(event)

    def note(self, event: Note) -> None:
        if event.level == "warning":
            self.say(f"warning: {clean(event.text)}")
        elif event.level != "detail" or self.verbose:
            self.tell(clean(event.text))

    def finished(self, event: TrialFinished) -> None:
        self.tell(told.trial(event.result, self.board.row(event.result), self.board.best, self.board.metric))
        self.traceback(event)

    def traceback(self, event: TrialFinished) -> None:
        if self.verbose and event.result.traceback:
            self.tell(*(f"    {row}" for row in clean(event.result.traceback).splitlines()))

    def close(self) -> None:
        """The outcome, told even with -q."""
        if self.closing:
            self.say(*([] if self.quiet else [""]), *outcome.text(self.board))

    def tell(self, *lines: str) -> None:
        """Lines that -q leaves out."""
        if not self.quiet:
            self.say(*lines)

    def say(self, *lines: str) -> None:
        for text in lines:
            print(text, file=self.out, flush=True)

    def stop(self) -> None:
        """Give the terminal back. Called however the search ends."""


def is_terminal(out: TextIO) -> bool:
    """Whether a live table makes sense there."""
    return out.isatty() and os.environ.get("TERM", "") != "dumb"


@contextmanager
def opened(*, json: bool = False, quiet: bool = False, verbose: bool = False) -> Iterator[Screen]:
    """The screen that suits the options and the terminal; the terminal is whole again afterwards."""
    screen = _choose(json=json, quiet=quiet, verbose=verbose)
    try:
        yield screen
    finally:
        screen.stop()


def _choose(*, json: bool, quiet: bool, verbose: bool) -> Screen:
    if json:
        return Screen(sys.stderr, verbose=verbose, quiet=quiet, closing=False)
    if quiet or not is_terminal(sys.stdout):
        return Screen(sys.stdout, verbose=verbose, quiet=quiet)
    from autoft.cli.live import LiveScreen

    return LiveScreen(sys.stdout, verbose=verbose)
