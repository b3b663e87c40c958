"""`autoft env`: versions, hardware, folders. Asks metadata and the system; imports no framework."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autoft import registry
from autoft.cli.command import verb
from autoft.cli.emit import document
from autoft.machine import cores
from autoft.records import Entry
from autoft.report.words import bytes_, clean
from autoft.version import API_VERSION, VERSION

EXAMPLES = (
    ("autoft env", "paste this into a bug report"),
    ("autoft env --net", "and see whether models can be downloaded"),
    ("autoft env --json", "for scripts"),
)

#: Distributions that decide what autoft does, if they are there.
PACKAGES = (
    *(
        "numpy",
        "pillow",
        "ray",
        "optuna",
        "msgspec",
        "pluggy",
        "typer",
        "rich",
        "datasets",
        "pyarrow",
        "huggingface-hub",
    ),
    *("torch", "torchvision", "timm", "transformers", "safetensors", "tensorflow", "keras", "keras-hub"),
)

Net = Annotated[bool, typer.Option("--net", help="Try to reach the model hubs.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def env(net: Net = False, json: Json = False) -> None:
    """Show versions of everything installed, cores, memory, GPUs, folders and (with --net) model hubs."""
    facts: dict[str, Any] = {
        "autoft": {"version": VERSION, "plugin contract": API_VERSION, "python": platform.python_version()},
        "machine": machine(),
        "plugins": {p.distribution: p.error or p.version or "no version" for p in registry.installed().plugins},
        "packages": packages(),
        "folders": folders(),
    }
    if net:
        facts["hubs"] = hubs(registry.installed().entries("models"))
    if json:
        document(facts, sys.stdout)
        return
    for title, part in facts.items():
        print(f"{title}:")
        for key, what in part.items():
            print(f"  {key}: {clean(str(what))}")


def machine() -> dict[str, Any]:
    facts: dict[str, Any] = {"system": platform.platform(), "cores": cores()}
    memory = _memory()
    if memory:
        facts["memory"] = bytes_(memory)
    cards = gpus()
    facts["GPUs"] = "; ".join(cards) or "none"
    return facts


def gpus() -> list[str]:
    """Name, memory and driver of each NVIDIA GPU, as the driver's own tool says."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return []
    query = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"nvidia-smi does not answer ({error})"]
    if answer.returncode:
        return [f"nvidia-smi fails: {(answer.stdout or answer.stderr).strip().splitlines()[0]}"]
    return [row.strip() for row in answer.stdout.splitlines() if row.strip()]


def packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def folders() -> dict[str, str]:
    from autoft.data.cache import cache_root

    cache = cache_root()
    place = next((p for p in (cache, *cache.parents) if p.exists()), Path("/"))
    free = bytes_(shutil.disk_usage(place).free)
    return {"cache": f"{cache} ({free} free)", "runs": str(Path("runs").absolute())}


def hubs(sources: Sequence[Entry]) -> dict[str, str]:
    """For each source of models: reachable, or why not."""
    plugins = registry.installed()
    answers = {}
    for entry in sources:
        try:
            answers[entry.name] = plugins.get("models", entry.name).reachable() or "reachable"
        except Exception as error:  # a broken source is what the user wants to hear about here
            answers[entry.name] = f"{type(error).__name__}: {error}"
    return answers


def _memory() -> int:
    """Bytes that this process may use: the machine's, or the container's limit if that is lower."""
    limits = []
    try:
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        pass  # no such file, or the word "max": no limit of the container
    return min(limits) if limits else 0


app = verb(env, EXAMPLES)
