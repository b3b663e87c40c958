"""Finds plugins, indexes what they offer by name, refuses duplicates and isolates broken ones."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, metadata
from types import ModuleType
from typing import Any

import msgspec
import pluggy

from autoft import hookspecs
from autoft.errors import PluginError, UsageError
from autoft.records import Entry
from autoft.vocab import did_you_mean

GROUP = "autoft"
ENVIRONMENT = "AUTOFT_PLUGINS"
HOOKS = {
    "task": "autoft_tasks",
    "backend": "autoft_backends",
    "reader": "autoft_readers",
    "models": "autoft_models",
    "searcher": "autoft_searchers",
    "strategy": "autoft_strategies",
    "command": "autoft_commands",
}


class Plugin(msgspec.Struct, frozen=True):
    """One plugin module, loaded or not."""

    name: str
    module: str
    distribution: str
    version: str
    error: str = ""
    """Why it could not be loaded; empty when it was."""


class Registry:
    """What all loaded plugins offer."""

    def __init__(self, manager: pluggy.PluginManager, plugins: tuple[Plugin, ...]) -> None:
        self.manager = manager
        self.plugins = plugins
        self._entries: dict[str, dict[str, Entry]] = {kind: {} for kind in HOOKS}
        self._objects: dict[tuple[str, str], Any] = {}
        for kind in HOOKS:
            self._index(kind)

    def entries(self, kind: str) -> list[Entry]:
        """All entries of a kind, in the order of their names."""
        return sorted(self._entries[kind].values(), key=lambda entry: entry.name)

    def entry(self, kind: str, name: str) -> Entry:
        """The entry with this name or alias.

        Raises:
            UsageError: there is none; the message names the nearest one and any plugin that failed to load.
        """
        for entry in self._entries[kind].values():
            if name == entry.name or name in entry.aliases:
                return entry
        known = [entry.name for entry in self.entries(kind)]
        listed = ", ".join(known) or "none: no plugin offers one"
        broken = [f"{p.name} ({p.error})" for p in self.plugins if p.error]
        hint = f"Plugins that could not be loaded: {'; '.join(broken)}" if broken else ""
        hint = hint or (extra(name) if kind == "backend" else "")
        near = did_you_mean(name, [word for entry in self.entries(kind) for word in (entry.name, *entry.aliases)])
        raise UsageError(f"there is no {kind} '{name}'.{near} Known: {listed}.", hint)

    def get(self, kind: str, name: str) -> Any:
        """The object behind a name, made on first use.

        Raises:
            UsageError: no such name.
            PluginError: its target cannot be imported or made.
        """
        entry = self.entry(kind, name)
        key = (kind, entry.name)
        if key not in self._objects:
            self._objects[key] = _resolve(entry, call=True)
        return self._objects[key]

    def command(self, name: str) -> Any:
        """What a command entry's target names, itself (it is not called)."""
        return _resolve(self.entry("command", name))

    def __iter__(self) -> Iterator[Plugin]:
        return iter(self.plugins)

    def _index(self, kind: str) -> None:
        for implementation in getattr(self.manager.hook, HOOKS[kind]).get_hookimpls():
            plugin = next(p for p in self.plugins if p.name == implementation.plugin_name)
            try:
                yielded = [_entry(one) for one in implementation.function()]
            except Exception as error:
                self._mark_broken(plugin, f"{HOOKS[kind]}: {type(error).__name__}: {error}")
                continue
            for entry in yielded:
                self._add(kind, msgspec.structs.replace(entry, kind=kind, plugin=plugin.distribution))

    def _add(self, kind: str, entry: Entry) -> None:
        for other in self._entries[kind].values():
            taken = {other.name, *other.aliases} & {entry.name, *entry.aliases}
            if taken:
                raise PluginError(
                    f"the {kind} name '{sorted(taken)[0]}' must be unique, but both '{other.plugin}' "
                    f"and '{entry.plugin}' offer it.",
                    f"Uninstall one of the two: pip uninstall {entry.plugin}",
                )
        self._entries[kind][entry.name] = entry

    def _mark_broken(self, plugin: Plugin, reason: str) -> None:
        broken = msgspec.structs.replace(plugin, error=reason)
        self.plugins = tuple(broken if p.name == plugin.name else p for p in self.plugins)


def extra(name: str) -> str:
    """The command that installs the extra of autoft with this name; empty where there is none."""
    try:
        known = metadata("autoft").get_all("Provides-Extra") or []
    except PackageNotFoundError:  # run from a folder that is not installed
        known = []
    return f"pip install 'autoft[{name}]'" if name in known else ""


def _entry(yielded: Any) -> Entry:
    if not isinstance(yielded, Entry):
        raise TypeError(f"it must yield Entry records, but got {yielded!r}")
    return yielded


def _resolve(entry: Entry, *, call: bool = False) -> Any:
    module, _, attribute = entry.target.partition(":")
    try:
        target = getattr(importlib.import_module(module), attribute)
        return target() if call else target
    except Exception as error:
        raise PluginError(
            f"{entry.kind} '{entry.name}' of plugin '{entry.plugin}' could not be loaded: "
            f"{type(error).__name__}: {error}",
            "Reinstall the plugin, or see `autoft ls plugins`.",
        ) from error


def load() -> Registry:
    """A registry of all installed plugins and of the modules named in `AUTOFT_PLUGINS` (comma separated).

    Raises:
        PluginError: a misspelt hook, two plugins or two offers with one name.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins: list[Plugin] = []
    for point, distribution, version in _points():
        if any(p.module == point.value for p in plugins):
            continue  # listed twice on sys.path, or installed and named in the environment
        twin = next((p for p in plugins if p.name == point.name), None)
        if twin:
            raise PluginError(
                f"plugin names must be unique, but '{twin.distribution}' and '{distribution}' are both named "
                f"'{point.name}'.",
                f"Uninstall one of the two: pip uninstall {distribution}",
            )
        plugins.append(_register(manager, point, distribution, version))
    _check_hooks(manager, plugins)
    return Registry(manager, tuple(plugins))


@functools.lru_cache(maxsize=1)
def installed() -> Registry:
    """The registry of this process."""
    return load()


def _points() -> Iterator[tuple[EntryPoint, str, str]]:
    found = sorted(entry_points(group=GROUP), key=lambda p: (p.name != "builtin", p.name))
    for point in found:
        yield point, point.dist.name if point.dist else point.value, point.dist.version if point.dist else ""
    for module in filter(None, (m.strip() for m in os.environ.get(ENVIRONMENT, "").split(","))):
        yield EntryPoint(name=module, value=module, group=GROUP), module, ""


def _register(manager: pluggy.PluginManager, point: EntryPoint, distribution: str, version: str) -> Plugin:
    plugin = Plugin(point.name, point.value, distribution, version)
    try:
        module: ModuleType = point.load()
        manager.register(module, point.name)
    except Exception as error:  # a broken plugin must not stop the others; its reason is kept and shown
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)  # pluggy keeps the hooks that stood before the faulty one
        return msgspec.structs.replace(plugin, error=f"{type(error).__name__}: {error}")
    return plugin


def _check_hooks(manager: pluggy.PluginManager, plugins: list[Plugin]) -> None:
    known = [name for name in vars(hookspecs) if name.startswith("autoft_")]
    for plugin in plugins:
        module = manager.get_plugin(plugin.name)
        for caller in (manager.get_hookcallers(module) or []) if module else []:
            if not caller.has_spec():
                raise PluginError(
                    f"'{plugin.distribution}' implements the hook '{caller.name}', which does not exist."
                    f"{did_you_mean(caller.name, known)}",
                    f"The hooks are: {', '.join(known)}",
                )
