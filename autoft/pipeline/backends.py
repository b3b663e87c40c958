"""Which backends a search uses, and the `:BACKEND` that a network's name may end in."""

from __future__ import annotations

from autoft.errors import UsageError
from autoft.registry import Registry, extra

AUTO = "auto"


def chosen(registry: Registry, wanted: str) -> tuple[str, ...]:
    """The names of the backends that `wanted` asks for, in that order: `auto` is all that are installed.

    Raises:
        UsageError: one is not installed, or none is.
    """
    installed = [entry.name for entry in registry.entries("backend")]
    if not installed:
        raise UsageError("a search needs a backend, but none is installed.", "pip install 'autoft[torch]'")
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    if words == [AUTO] or not words:
        return tuple(installed)
    if AUTO in words:
        raise UsageError(f"--backend must be auto or a list of names, but got '{wanted}'.")
    return tuple(dict.fromkeys(registry.entry("backend", word).name for word in words))


def compares(wanted: str, backends: tuple[str, ...]) -> bool:
    """Whether each network is wanted on every backend that has it, and not on one of them."""
    return len(backends) > 1 and wanted.strip() != AUTO


def divided(registry: Registry, written: str) -> tuple[str, str]:
    """The name of a network and the backend behind its colon, which is empty where there is none.

    Raises:
        UsageError: the word behind the colon is a backend that is not installed.
    """
    name, _, suffix = written.rpartition(":")
    if not name:
        return written, ""
    for entry in registry.entries("backend"):
        if suffix in (entry.name, *entry.aliases):
            return name, entry.name
    if hint := extra(suffix):
        raise UsageError(f"{written} asks for the backend '{suffix}', which is not installed.", hint)
    return written, ""


def keyed(name: str, backend: str) -> str:
    """What tells a network on this backend from the same one on another."""
    return f"{name}:{backend}"
