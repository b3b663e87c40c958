"""Paths that a user typed, so that they mean the same from every folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

DATA: Final = ("data", "val", "test", "configs")
"""Options that may be paths; what is none, such as the name of a data set on a hub, stays as it is."""
BEHIND: Final = re.compile(r"(@scratch)?(:\w+)?$")
"""What may stand behind the path of a network: that its weights are random, and its backend."""


def absolute(written: str, base: Path | None = None) -> str:
    """A path from `base`, or the current folder, if something is there; else the word as it was."""
    if not written:
        return written
    path = (base or Path.cwd()) / Path(written).expanduser()
    return str(path.absolute()) if path.exists() else written


def network(name: str, base: Path | None = None) -> str:
    """The same of a network: `./ckpt`, `timm/resnet18@./weights.pth`, `./ckpt@scratch:torch`."""
    match = BEHIND.search(name)
    end = match.start() if match else len(name)
    known, at, path = name[:end].partition("@")
    if at:
        return f"{known}@{absolute(path, base)}{name[end:]}"
    return f"{absolute(known, base) if _is_path(known) else known}{name[end:]}"


def _is_path(name: str) -> bool:
    """By its form: `timm/resnet18` is a network's name, also where there is such a folder."""
    return name.startswith((".", "/", "~")) or "/" not in name


def fixed(arguments: Mapping[str, Any], base: Path | None = None) -> dict[str, Any]:
    """Options with all paths absolute."""
    found = dict(arguments)
    found |= {key: absolute(str(found[key]), base) for key in DATA if found.get(key)}
    if found.get("models"):
        found["models"] = [network(str(name), base) for name in found["models"]]
    return found


def base_of(arguments: Mapping[str, Any], run: Path) -> Path | None:
    """The folder from which the paths of a run count: where it was begun. Older runs do not say, but most lie in `runs`
    of that folder; None where their data are not there, and the current folder must do."""
    if arguments.get("folder"):
        return Path(arguments["folder"])
    near = run.resolve().parents[2]
    data = str(arguments.get("data", ""))
    return near if data and (near / data).exists() else None
