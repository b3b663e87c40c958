"""Plugins are found, indexed by name, refused when two want one name, and set apart when broken."""

import pytest

from autoft import registry
from autoft.errors import PluginError, UsageError

TASK = """
class Thing: ...

@hookimpl
def autoft_tasks():
    yield Entry(name="{name}", target=__name__ + ":{target}", aliases={aliases})
"""


def offers(name, aliases=(), target="Thing"):
    return TASK.format(name=name, aliases=aliases, target=target)


def of(found, name):
    return next(plugin for plugin in found if plugin.name == name)


# ---- found ----------------------------------------------------------------------------------------------


def test_core_ships_its_readers_and_searchers_as_a_plugin(site):
    found = registry.load()
    assert {"folder", "table", "hf"} <= {entry.name for entry in found.entries("reader")}
    assert {"random", "tpe", "grid"} <= {entry.name for entry in found.entries("searcher")}
    assert next(iter(found)).name == "builtin"


def test_an_installed_distribution_is_found_by_its_entry_point(site):
    module = site(offers("sort-things"), dist="autoft-things", point="things")
    found = registry.load()
    assert of(found, "things") == registry.Plugin("things", module, "autoft-things", "1.2")
    entry = found.entry("task", "sort-things")
    assert (entry.kind, entry.plugin) == ("task", "autoft-things")
    assert type(found.get("task", "sort-things")).__name__ == "Thing"


def test_a_module_named_in_the_environment_needs_no_distribution(site, monkeypatch):
    modules = [site(offers("one-thing")), site(offers("other-thing"))]
    monkeypatch.setenv("AUTOFT_PLUGINS", f" {modules[0]} ,, {modules[1]}")
    found = registry.load()
    assert found.entry("task", "one-thing").plugin == modules[0]
    assert found.entry("task", "other-thing").plugin == modules[1]


def test_an_installed_plugin_that_the_environment_names_counts_once(site, monkeypatch):
    module = site(offers("sort-things"), dist="autoft-things", point="things")
    monkeypatch.setenv("AUTOFT_PLUGINS", f"{module},{module}")
    found = registry.load()
    assert [plugin.name for plugin in found if plugin.module == module] == ["things"]
    assert not of(found, "things").error


def test_an_object_is_made_once_and_an_alias_means_the_same(site, monkeypatch):
    monkeypatch.setenv("AUTOFT_PLUGINS", site(offers("sort-things", aliases=("things-cls",))))
    found = registry.load()
    assert found.get("task", "things-cls") is found.get("task", "sort-things")


def test_a_command_is_given_itself_and_not_called(site, monkeypatch):
    source = offers("greet").replace("autoft_tasks", "autoft_commands")
    monkeypatch.setenv("AUTOFT_PLUGINS", site(source))
    assert registry.load().command("greet").__name__ == "Thing"


def test_entries_stand_in_the_order_of_their_names(site, monkeypatch):
    monkeypatch.setenv("AUTOFT_PLUGINS", ",".join(site(offers(name)) for name in ("zebra", "ant", "mole")))
    names = [entry.name for entry in registry.load().entries("task")]
    assert names == sorted(names) and {"ant", "mole", "zebra"} <= set(names)


# ---- refused --------------------------------------------------------------------------------------------


def test_a_misspelt_hook_is_an_error_that_names_the_right_one(site):
    site("@hookimpl\ndef autoft_task():\n    return ()", dist="autoft-things")
    with pytest.raises(
        PluginError, match=r"'autoft-things' implements the hook 'autoft_task'.*Did you mean 'autoft_task"
    ):
        registry.load()


def test_two_plugins_with_one_name_to_offer(site):
    site(offers("sort-things"), dist="autoft-things")
    site(offers("sort-things"), dist="other-things")
    with pytest.raises(PluginError) as refused:
        registry.load()
    assert all(words in refused.value.message for words in ("'sort-things'", "'autoft-things'", "'other-things'"))
    assert "pip uninstall" in refused.value.hint


@pytest.mark.parametrize("first, second", [("things", "sort-things"), ("sort-things", "things")])
def test_an_alias_takes_a_name_like_any_other(site, first, second):
    site(offers(first, aliases=("nick",)), dist="autoft-things")
    site(offers(second, aliases=("other", "nick")), dist="other-things")
    with pytest.raises(PluginError, match="'nick'"):
        registry.load()


def test_names_of_different_kinds_do_not_clash(site):
    site(offers("things"), dist="autoft-things")
    site(offers("things").replace("autoft_tasks", "autoft_backends"), dist="other-things")
    found = registry.load()
    assert found.entry("task", "things").plugin == "autoft-things"
    assert found.entry("backend", "things").plugin == "other-things"


def test_two_distributions_with_one_plugin_name(site):
    site(offers("one"), dist="autoft-things", point="things")
    site(offers("two"), dist="other-things", point="things")
    with pytest.raises(PluginError, match="both named 'things'") as refused:
        registry.load()
    assert "'autoft-things'" in refused.value.message and "'other-things'" in refused.value.message


# ---- broken ---------------------------------------------------------------------------------------------

BREAKS = {
    "import": ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
    "hook raises": ("@hookimpl\ndef autoft_tasks():\n    raise RuntimeError('no licence')", "RuntimeError: no licence"),
    "hook raises late": (
        "@hookimpl\ndef autoft_tasks():\n    yield Entry(name='half', target='x:y')\n    1 / 0",
        "ZeroDivisionError",
    ),
    "hook gives nothing": ("@hookimpl\ndef autoft_tasks():\n    pass", "autoft_tasks: TypeError"),
    "no entries": ("@hookimpl\ndef autoft_tasks():\n    return ['sort-things']", "must yield Entry records"),
    "wrong arguments": ("@hookimpl\ndef autoft_tasks(registry):\n    return ()", "registry"),
}


@pytest.mark.parametrize("source, reason", BREAKS.values(), ids=BREAKS)
def test_a_broken_plugin_is_kept_with_its_reason_and_the_others_work(site, source, reason):
    site(source, dist="autoft-broken", point="broken")
    site(offers("sort-things"), dist="autoft-things")
    found = registry.load()
    assert reason in of(found, "broken").error
    assert found.get("task", "sort-things")
    with pytest.raises(UsageError) as missing:
        found.entry("task", "half")
    assert "broken" in missing.value.hint and reason in missing.value.hint


def test_a_plugin_that_is_refused_half_way_offers_nothing(site):
    """Pluggy takes hooks in the order of their names, and stops at the faulty one."""
    backend = offers("half").replace("autoft_tasks", "autoft_backends")
    site(backend + BREAKS["wrong arguments"][0], dist="autoft-broken", point="broken")
    found = registry.load()
    assert of(found, "broken").error
    with pytest.raises(UsageError, match="there is no backend 'half'"):
        found.entry("backend", "half")


def test_a_hook_that_raises_leaves_the_plugins_other_hooks(site):
    backend = offers("half").replace("autoft_tasks", "autoft_backends")
    site(backend + BREAKS["hook raises"][0], dist="autoft-broken", point="broken")
    found = registry.load()
    assert found.get("backend", "half") and of(found, "broken").error


# ---- asked for what is not there ------------------------------------------------------------------------


def test_an_unknown_name_gets_the_nearest_one(site):
    site(offers("sort-things", aliases=("things-cls",)), dist="autoft-things")
    found = registry.load()
    with pytest.raises(UsageError, match=r"there is no task 'sort-thing'\. Did you mean 'sort-things'") as missing:
        found.get("task", "sort-thing")
    assert missing.value.hint == "" and "Known: " in missing.value.message
    with pytest.raises(UsageError, match="Did you mean 'things-cls'"):
        found.get("task", "thing-cls")


@pytest.mark.parametrize("target, reason", [("Absent", "AttributeError"), ("Thing.__init__", "AttributeError")])
def test_a_target_that_cannot_be_imported(site, target, reason):
    site(offers("sort-things", target=target), dist="autoft-things")
    with pytest.raises(PluginError, match=f"task 'sort-things' of plugin 'autoft-things' .*{reason}"):
        registry.load().get("task", "sort-things")


def test_a_target_that_cannot_be_made(site):
    source = offers("sort-things").replace("class Thing: ...", "class Thing:\n    def __init__(self): 1 / 0")
    site(source, dist="autoft-things")
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        registry.load().get("task", "sort-things")


def test_a_target_is_imported_when_it_is_used(site, monkeypatch):
    lazy = site("1 / 0")
    monkeypatch.setenv("AUTOFT_PLUGINS", site(offers("late").replace("__name__", f"'{lazy}'")))
    found = registry.load()
    assert found.entry("task", "late")
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        found.get("task", "late")
