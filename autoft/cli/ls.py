"""`autoft ls`: what there is, by kind. One function per kind gives its rows."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from autoft import compose, held, registry
from autoft.cli import params as p
from autoft.cli.command import verb
from autoft.cli.emit import document, table
from autoft.errors import AutoftError, UsageError
from autoft.records import ModelCard
from autoft.report.words import DASH, duration, line, score, size
from autoft.vocab import did_you_mean

EXAMPLES = (
    ("autoft ls tasks", "what can be learned"),
    ("autoft ls models --task image-cls", "networks that fit a task, and whether they are at hand offline"),
    ("autoft ls models --backend torch --json", "for scripts"),
    ("autoft ls runs", "runs below ./runs, newest first"),
)

Rows = list[dict[str, Any]]

What = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        help="tasks, models, backends, readers, searchers, strategies, presets, plugins or runs.",
        show_default=False,
    ),
]
Task = Annotated[
    str, typer.Option("--task", help="Only models that fit this task.", metavar="TASK", show_default="all")
]
Backend = Annotated[
    str, typer.Option("--backend", help="Only models of these backends.", metavar="A,B", show_default="all")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def ls(what: What, task: Task = "", backend: Backend = "", out: p.Out = p.DEFAULTS.out, json: Json = False) -> None:
    """List tasks, models, backends, readers, searchers, strategies, presets, plugins or runs."""
    kind = KINDS.get(what) or KINDS.get(f"{what}s")
    if kind is None:
        known = list(KINDS)
        raise UsageError(
            f"there is nothing to list as '{what}'.{did_you_mean(what, known)}", f"Known: {', '.join(known)}"
        )
    if kind is _models:
        rows = _models(task, backend)
    elif kind is _runs:
        rows = _runs(out)
    else:
        rows = kind()
    if json:
        document(rows, sys.stdout)
    elif rows:
        table([{k: _shown(v, k) for k, v in row.items()} for row in rows], cut=_widest(rows))
    else:
        print(f"no {what}" + (" (yet): start one with `autoft search`" if kind is _runs else ""))


def _entries(kind: str) -> Rows:
    return [
        {
            "name": entry.name,
            "what it is": entry.summary,
            "aliases": ", ".join(entry.aliases),
            "from": entry.plugin,
        }
        for entry in registry.installed().entries(kind)
    ]


def _models(task: str = "", backend: str = "") -> Rows:
    plugins = registry.installed()
    meant = plugins.get("task", task) if task else None
    wanted = {plugins.entry("backend", name.strip()).name for name in backend.split(",")} if backend else set()
    cards: list[ModelCard] = []
    for entry in plugins.entries("models"):
        try:
            cards += plugins.get("models", entry.name).catalogue()
        except AutoftError as error:  # one broken source must not hide the others
            print(f"warning: {entry.name}: {line(error.message)}", file=sys.stderr)
    cards = [card for card in cards if not wanted or card.backend in wanted]
    return [_model(card) for card in cards if meant is None or compose.fits(plugins, meant, card)]


def _model(card: ModelCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "parameters": card.params,
        "GMACs": card.macs or None,
        "input size": card.input_size,
        "pretrained": card.pretrained,
        "licence": card.licence,
        "source": card.source,
        "offline": card.offline,
        "backend": card.backend,
        "what it is": card.summary,
    }


def _presets() -> Rows:
    from autoft.search.presets import PRESETS

    return [
        {
            "name": preset.name,
            "aliases": ", ".join(preset.aliases),
            "time": duration(preset.time),
            "networks": preset.models,
            "epochs": preset.epochs,
            "image size": preset.image_size,
            "what it is": preset.summary,
        }
        for preset in PRESETS.values()
    ]


def _plugins() -> Rows:
    from autoft.cli.plugins import offers

    return offers()


def _runs(out: str = p.DEFAULTS.out) -> Rows:
    from autoft.run import list_runs

    return [_run(run) for run in list_runs(out)]


def _run(run: Any) -> dict[str, Any]:
    try:
        metrics, arguments = run.metrics, run.arguments
        ended = metrics.get("trials") or {}
        trials = sum(ended.values()) if ended else len(run.results())
    except Exception as error:  # a damaged run is listed as such; the others still matter
        return {"run": str(run.path), "task": "", "status": f"unreadable ({type(error).__name__})"} | _NO_SCORES
    test = metrics.get("test") or {}
    metric = metrics.get("metric") or ""
    return {
        "run": str(run.path),
        "task": arguments.get("task", ""),
        "status": metrics.get("status") or ("running" if held.is_held(run.path) else "no outcome"),
        "trials": trials,
        "metric": metric,
        "validation": (metrics.get("best") or {}).get("score"),
        "test": (test.get("metrics") or {}).get(metric),
        "started": _when(run.path),
    }


_NO_SCORES: Final = {"trials": None, "metric": "", "validation": None, "test": None, "started": ""}


def _when(path: Any) -> str:
    changed = (path / "args.yaml").stat().st_mtime
    return datetime.datetime.fromtimestamp(changed).strftime("%Y-%m-%d %H:%M")


def _shown(what: Any, column: str) -> str:
    if isinstance(what, bool):
        return "yes" if what else "no"
    if isinstance(what, float):
        return f"{what:.2g}" if column == "GMACs" else score(what)
    if isinstance(what, int):
        return size(what) if what >= 10_000 else str(what)
    return DASH if what is None else str(what)


def _widest(rows: Rows) -> str:
    return "what it is" if "what it is" in rows[0] else next(iter(rows[0]))


KINDS: Final[dict[str, Callable[[], Rows]]] = {
    "tasks": lambda: _entries("task"),
    "models": _models,
    "backends": lambda: _entries("backend"),
    "readers": lambda: _entries("reader"),
    "searchers": lambda: _entries("searcher"),
    "strategies": lambda: _entries("strategy"),
    "commands": lambda: _entries("command"),
    "presets": _presets,
    "plugins": _plugins,
    "runs": _runs,
}

app = verb(ls, EXAMPLES)
