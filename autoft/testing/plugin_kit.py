"""`PluginContract`: a plugin module is thin, its hooks exist, and everything it offers can be loaded."""

from __future__ import annotations

import importlib
import inspect
import re
from importlib import metadata
from typing import Any, ClassVar

import msgspec
import pluggy
import pytest

from autoft import hookspecs, registry
from autoft.contracts import Backend, ModelSource, Reader, SearcherPlugin, Task
from autoft.records import Entry, Param, Schema
from autoft.search.strategy import StrategyPlugin
from autoft.testing.contract import HEAVY, Contract, dragged_in, misfits

PROTOCOLS: dict[str, type] = {
    "task": Task,
    "backend": Backend,
    "reader": Reader,
    "models": ModelSource,
    "searcher": SearcherPlugin,
    "strategy": StrategyPlugin,
}


class PluginContract(Contract):
    """Set `plugin` to the module and `distribution` to the name of the package that brings it."""

    plugin: ClassVar[str]
    """The module that the entry point names."""
    distribution: ClassVar[str] = ""
    """Empty for a module that is loaded by `AUTOFT_PLUGINS` alone."""

    def offers(self) -> list[Entry]:
        """What the plugin's hooks yield, each with its kind."""
        module = importlib.import_module(self.plugin)
        hooks = {kind: getattr(module, hook) for kind, hook in registry.HOOKS.items() if hasattr(module, hook)}
        return [_with_kind(entry, kind) for kind, hook in hooks.items() for entry in hook()]

    def test_import_is_thin(self) -> None:
        loaded = dragged_in(self.plugin, HEAVY)
        assert not loaded, f"imported on every start, {self.plugin} loads {', '.join(loaded)}; move it behind a target"

    def test_hooks_are_known(self) -> None:
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        manager.register(importlib.import_module(self.plugin), self.plugin)
        manager.check_pending()
        assert manager.get_hookcallers(manager.get_plugin(self.plugin)), f"{self.plugin} implements no hook"

    def test_hooks_yield_entries(self) -> None:
        for entry in self.offers():
            assert isinstance(entry, Entry), f"hooks yield Entry records, but got {entry!r}"
            assert entry.summary, f"{entry.kind} '{entry.name}' needs a summary: `autoft ls` shows it"
            package = self.plugin.partition(".")[0]
            assert entry.target.startswith((f"{package}.", f"{package}:")), f"{entry.target} lies in another package"

    def test_targets_resolve(self) -> None:
        for entry in self.offers():
            module, _, attribute = entry.target.partition(":")
            target = getattr(importlib.import_module(module), attribute)
            if entry.kind == "command":
                continue  # a typer.Typer, used as it is
            thing = target()
            assert not misfits(thing, PROTOCOLS[entry.kind]), f"{entry.target}: {misfits(thing, PROTOCOLS[entry.kind])}"
            if entry.kind in ("task", "backend", "reader"):
                assert thing.name == entry.name, f"{entry.target}: '{thing.name}' is not '{entry.name}'"

    def test_edit_space_knows_any_task(self) -> None:
        hook = getattr(importlib.import_module(self.plugin), "autoft_edit_space", None)
        if hook is None:
            pytest.skip("the plugin edits no space")
        asked = {"space": (), "schema": Schema(task="a task it has never heard of"), "cards": (), "seconds": 1.0}
        params = hook(**{name: asked[name] for name in inspect.signature(hook).parameters})
        assert all(isinstance(param, Param) for param in params)

    def test_registry_loads_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if not self.distribution:
            monkeypatch.setenv(registry.ENVIRONMENT, self.plugin)
        loaded = registry.load()
        mine = [plugin for plugin in loaded if plugin.module == self.plugin]
        assert mine, f"the registry does not find {self.plugin}: is the package installed?"
        assert not mine[0].error, mine[0].error
        for entry in self.offers():
            assert loaded.entry(entry.kind, entry.name).plugin == mine[0].distribution

    def test_distribution_metadata(self) -> None:
        if not self.distribution:
            pytest.skip("not packaged")
        package = metadata.distribution(self.distribution)
        points = [point for point in package.entry_points if point.group == registry.GROUP]
        assert self.plugin in [point.value for point in points], (
            f"no entry point of '{registry.GROUP}' names {self.plugin}"
        )
        needs = {found[0] for text in package.requires or () if (found := re.match(r"[\w.-]+", text))}
        assert "autoft" in needs | {self.distribution}, f"{self.distribution} must depend on autoft, but needs {needs}"
        fields: Any = package.metadata
        for field in ("Version", "Summary", "Requires-Python"):
            assert fields.get(field), f"{self.distribution} says no {field}"
        assert fields.get("License-Expression") or fields.get("License"), f"{self.distribution} says no licence"


def _with_kind(entry: Any, kind: str) -> Any:
    return msgspec.structs.replace(entry, kind=kind) if isinstance(entry, Entry) else entry
