"""What `--dry-run` prints: the merged configuration, and every parameter with its range."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from autoft.cli import told
from autoft.cli.configfile import KEYS
from autoft.cli.emit import document, table
from autoft.cli.meanings import meanings
from autoft.events import Planned
from autoft.records import Param
from autoft.report.words import value


def show(plan: Planned, *, json: bool, fixed: bool = False) -> None:
    """As JSON, or as YAML that `-c` reads back, followed by the parameters.

    `fixed` shows the one value that each would have, not its range.
    """
    if json:
        document(plan, sys.stdout)
        return
    import yaml

    print("\n# configuration (save it, change it, give it to -c)")
    print(yaml.safe_dump(_plain(plan.arguments), sort_keys=False, allow_unicode=True), end="")
    print("\n# parameters")
    table([_value(param) if fixed else _row(param) for param in plan.space], cut="what it is")
    print("\nNothing was trained (--dry-run).")


def _value(param: Param) -> dict[str, str]:
    shown = told.param(param) if param.fixed else value(param.default)
    return {"parameter": param.key, "value": shown, "what it is": param.summary or meanings().get(param.key, "")}


def _row(param: Param) -> dict[str, str]:
    when = " and ".join(f"{key}={','.join(value(w) for w in wanted)}" for key, wanted in param.when.items())
    return {
        "parameter": param.key,
        "values": told.param(param),
        "trial 0": value(param.default),
        "only if": when,
        "what it is": param.summary or meanings().get(param.key, ""),
    }


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options as a user would write them."""
    plain: dict[str, Any] = {k: v for k, v in msgspec.to_builtins(arguments).items() if k in KEYS}
    plain["space"] = plain.pop("overrides", {})
    if isinstance(plain.get("metric"), dict):
        plain["metric"] = plain["metric"]["name"]
    return plain
