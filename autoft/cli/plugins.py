"""`autoft plugins`: what is installed, what is broken and why, what fits together."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from autoft import registry
from autoft.cli.command import verb
from autoft.cli.emit import document, table
from autoft.report.words import DASH, count, line

EXAMPLES = (
    ("autoft plugins", "every plugin and what it offers"),
    ("autoft plugins --matrix", "every task with every backend: works, or the reason why not"),
    ("AUTOFT_PLUGINS=my_plugin autoft plugins", "with a module that is not packaged"),
)

Matrix = Annotated[bool, typer.Option("--matrix", help="Show which task, network and backend fit together.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def plugins(matrix: Matrix = False, json: Json = False) -> None:
    """Show what is installed, what is broken and what fits together."""
    if matrix:
        _matrix(json)
        return
    rows = offers()
    if json:
        document(rows, sys.stdout)
        return
    table([{key: row[key] or DASH for key in ("plugin", "version", "offers")} for row in rows], cut="offers")
    for row in rows:
        if row["error"]:
            print(f"\n{row['plugin']} could not be loaded: {line(row['error'])}", file=sys.stderr)


def offers() -> list[dict[str, Any]]:
    """One row per plugin: distribution, version, names by kind in one text, and why it is broken."""
    found = registry.installed()
    rows = []
    for plugin in found.plugins:
        parts = []
        for kind in registry.HOOKS:
            names = [entry.name for entry in found.entries(kind) if entry.plugin == plugin.distribution]
            if names:
                parts.append(f"{kind}: {', '.join(names)}")
        said = "BROKEN" if plugin.error else "; ".join(parts)
        label = (
            plugin.distribution
            if plugin.name in ("builtin", plugin.distribution)
            else f"{plugin.distribution}:{plugin.name}"
        )
        rows.append({"plugin": label, "version": plugin.version, "offers": said, "error": plugin.error})
    return rows


def _matrix(json: bool) -> None:
    from autoft.compose import matrix

    cells = matrix(registry.installed())
    if json:
        document(cells, sys.stdout)
        return
    if not cells:
        print("no task or no network is installed: there is nothing to combine.")
        return
    table([_cell(cell) for cell in cells], cut="fits")
    works = sum(not cell.reason for cell in cells)
    print(f"\n{works} of {count(len(cells), 'combination')} work")


def _cell(cell: Any) -> dict[str, str]:
    return {
        "task": cell.task,
        "backend": cell.backend,
        "model": cell.model,
        "fits": f"no: {cell.reason}" if cell.reason else f"yes ({cell.formulation})",
    }


app = verb(plugins, EXAMPLES)
