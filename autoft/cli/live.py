"""The live screen: one table with the running trials and the best few, redrawn in place."""

from __future__ import annotations

import threading
import time
from typing import Literal, TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from autoft.cli import outcome
from autoft.cli.board import Row
from autoft.cli.screen import Screen
from autoft.events import Event, Note, Planned, TrialFinished
from autoft.report.compared import compared
from autoft.report.words import DASH, clock, count, line, value

MOST_RUNNING = 8
BEST = 5
REFRESH = 4


class LiveScreen(Screen):
    """Shows the table from the plan to the end. User text never passes as markup: all cells are `Text`."""

    def __init__(self, out: TextIO, *, verbose: bool = False, console: Console | None = None) -> None:
        super().__init__(out, verbose=verbose)
        self.console = console or Console(file=out, highlight=False)
        self.live: Live | None = None
        self.lock = threading.Lock()  # the table is drawn in rich's thread while events arrive in ours
        self.spinner = Spinner("dots", style="cyan")

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, Planned):
            self._start()

    def take(self, event: Event) -> None:
        with self.lock:
            super().take(event)

    def say(self, *lines: str) -> None:
        for text in lines:
            self.console.print(Text(text))

    def note(self, event: Note) -> None:
        if event.level == "warning":
            self.console.print(Text(f"warning: {line(event.text)}", style="yellow"))
        else:
            super().note(event)

    def finished(self, event: TrialFinished) -> None:
        """The table shows it; only failures and tracebacks stay above it."""
        result = event.result
        if result.status == "failed":
            text = f"{result.name} {line(result.model)} failed: {line(result.reason)}"
            self.console.print(Text(text, style="red"))
        self.traceback(event)

    def close(self) -> None:
        self.stop()
        self.console.print(self._closing())
        for label, path in outcome.paths(self.board):
            self.console.print(Text.assemble((f"{label}: ", "bold"), path), soft_wrap=True)

    def stop(self) -> None:
        if self.live:
            self.live.stop()
            self.live = None

    def _start(self) -> None:
        self.live = Live(
            get_renderable=self.drawn,
            console=self.console,
            refresh_per_second=REFRESH,
            transient=True,
            redirect_stderr=True,
        )
        self.live.start()

    def drawn(self) -> RenderableType:
        """The table as it stands now."""
        with self.lock:
            return Group(self._table(), self._status())

    def _table(self) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
        table.add_column("trial", no_wrap=True)
        table.add_column("model", overflow="ellipsis", no_wrap=True, max_width=36)
        for name in ("freeze", "lr", "batch", "epoch", line(self.board.metric.name)):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        running = sorted(self.board.running.values(), key=lambda row: row.number)
        for row in running[:MOST_RUNNING]:
            table.add_row(*self._cells(row), self.spinner)
        if len(running) > MOST_RUNNING:
            table.add_row("", Text(f"and {len(running) - MOST_RUNNING} more running", style="dim"))
        if running and self.board.ended:
            table.add_section()
        for row in self.board.ended[:BEST]:
            leads = self.board.best is not None and row.number == self.board.best.number
            mark = Text("best", style="bold green") if leads else Text()
            table.add_row(*self._cells(row), mark, style="" if leads else "dim")
        return table

    def _cells(self, row: Row) -> list[RenderableType]:
        most = row.recipe.get("epochs")
        epoch = f"{row.epoch}/{most}" if row.status == "running" and most else str(row.epoch or DASH)
        shown = [value(row.recipe.get(key)) for key in ("freeze", "lr", "batch_size")]
        best = compared(self.board.metric, row.score, row.metrics)
        return [Text(part) for part in (row.name, line(row.model), *shown, epoch, best)]

    def _status(self) -> Text:
        board = self.board
        left = max(0.0, board.plan.deadline - time.time()) if board.plan else 0.0
        done = count(len(board.ended) + board.failed, "trial") + " ended"
        failed = f", {board.failed} failed" if board.failed else ""
        lead = board.lead()
        best = compared(board.metric, lead.score, lead.metrics) if lead else DASH
        return Text.assemble(
            ("best so far ", "dim"),
            (best, "bold green"),
            (f"  ·  {done}{failed}  ·  ", "dim"),
            (clock(left), "bold"),
            (" left", "dim"),
        )

    def _closing(self) -> RenderableType:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in outcome.COLUMNS[:-1]:
            side: Literal["left", "right"] = "left" if name in ("trial", "model") else "right"
            table.add_column("#" if name == "rank" else name, overflow="fold", justify=side)
        table.add_column(Text(f"validation {line(self.board.metric.name)}"), justify="right")
        for place, row in enumerate(outcome.leaders(self.board)):
            table.add_row(*(Text(cell) for cell in row), style="bold green" if place == 0 else "")
        words = [Text(text) for text in outcome.sentences(self.board)]
        body = Group(table, *words) if table.row_count else Group(*words)
        return Panel(body, title="outcome", title_align="left", border_style="green", expand=False, padding=(0, 1))
