"""Calls the hooks that watch or edit: a plugin that fails there is named once and left out, and the search goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autoft.events import Listener, Note
from autoft.registry import Registry


class Observers:
    """The plugins' implementations of such hooks, called one by one."""

    def __init__(self, registry: Registry, listener: Listener) -> None:
        self._hooks = registry.manager.hook
        self._listener = listener
        self._failed: set[tuple[str, str]] = set()

    def tell(self, hook: str, **arguments: Any) -> None:
        """Call every implementation; what it returns does not matter."""
        for _ in self.ask(hook, **arguments):
            pass

    def ask(self, hook: str, **arguments: Any) -> Iterator[Any]:
        """What every implementation gives back, as a list where it yields."""
        for implementation in getattr(self._hooks, hook).get_hookimpls():
            key = (hook, implementation.plugin_name)
            if key in self._failed:
                continue
            try:
                given = implementation.function(*(arguments[name] for name in implementation.argnames))
                answer = list(given) if hasattr(given, "__iter__") else given
            except Exception as error:
                self._failed.add(key)
                text = f"the plugin '{implementation.plugin_name}' failed in {hook} and is not called there again"
                self._listener(Note(text=f"{text}: {type(error).__name__}: {error}", level="warning"))
            else:
                yield answer
