"""Plugins that watch a search. They only watch: one that fails is named once and left out from then on."""

from __future__ import annotations

from typing import Any

from autoft.events import Listener, Note
from autoft.registry import Registry


class Observers:
    """Calls the observing hooks of all plugins, each by itself."""

    def __init__(self, registry: Registry, listener: Listener) -> None:
        self._hooks = registry.manager.hook
        self._listener = listener
        self._failed: set[tuple[str, str]] = set()

    def tell(self, hook: str, **arguments: Any) -> None:
        for implementation in reversed(getattr(self._hooks, hook).get_hookimpls()):
            key = (implementation.plugin_name, hook)
            if key in self._failed:
                continue
            try:
                implementation.function(*(arguments[name] for name in implementation.argnames))
            except Exception as error:
                self._failed.add(key)
                text = f"{hook} of the plugin '{key[0]}' failed and is not called again: {type(error).__name__}: {error}"
                self._listener(Note(text=text, level="warning"))
