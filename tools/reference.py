"""The parts of the documentation that are read off the code. Each function prints Markdown; cog puts it in its page.

Run `nox -s docs -- -r` after a change of a hook, a parameter, a word of the vocabulary, an error or an option.
"""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Iterator

from autoft import api as public
from autoft import builtin, errors, hookspecs, recipe, vocab
from autoft.cli.group import VERBS
from autoft.cli.main import run
from autoft.cli.meanings import field_notes
from autoft.search.overrides import ALIASES
from autoft.search.presets import PRESETS


def parameters() -> None:
    """A table of all fields of `Recipe`: name, default, allowed values, meaning."""
    notes = dict(field_notes(recipe.Recipe))
    print("| key | default | allowed | meaning |")
    print("|---|---|---|---|")
    for name, default in zip(recipe.FIELDS, recipe.Recipe.__struct_defaults__, strict=True):
        if name != "extra":
            print(f"| `{name}` | {_value(default)} | {_allowed(name)} | {notes[name]} |")


def hooks() -> None:
    """Every hook with its arguments and docstring, under the banners of `hookspecs.py`."""
    for banner, found in _hooks_by_banner().items():
        print(f"\n### {banner}\n")
        for name in found:
            hook = getattr(hookspecs, name)
            print(f"#### `{name}({', '.join(inspect.signature(hook).parameters)})`\n")
            print(inspect.getdoc(hook), end="\n\n")


def words() -> None:
    """The closed vocabulary."""
    print("| list | words |")
    print("|---|---|")
    for kind, known in vocab.LISTS.items():
        print(f"| {kind} | {', '.join(f'`{word}`' for word in known)} |")


def exit_codes() -> None:
    """Every exit code with the error that ends so."""
    print("| code | error | when |")
    print("|---|---|---|")
    print(f"| {errors.EXIT_OK} | | The command did what was asked. |")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AutoftError)]
    for kind in sorted(kinds, key=lambda kind: kind.exit_code):
        if kind not in (errors.AutoftError, errors.TrialFailed):
            print(f"| {kind.exit_code} | `{kind.__name__}` | {_first_line(kind)} |")
    print(f"| {errors.EXIT_INTERNAL} | any other | A mistake in autoft itself. Please report it with the traceback. |")


def _body(kind: type) -> list[ast.stmt]:
    tree = ast.parse(inspect.getsource(kind)).body[0]
    return tree.body if isinstance(tree, ast.ClassDef) else []


def _hooks_by_banner() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    banner = ""
    for line in inspect.getsource(hookspecs).splitlines():
        if line.startswith("# ----"):
            banner = line.strip("# -").capitalize()
        elif line.startswith("def autoft_"):
            found.setdefault(banner, []).append(line.removeprefix("def ").partition("(")[0])
    return found


def _allowed(name: str) -> str:
    if name in recipe.WORDS:
        return ", ".join(vocab.LISTS[recipe.WORDS[name]])
    if name in recipe.RANGES:
        low, high = recipe.RANGES[name]
        return f"{low:g} to {high:g}"
    return ""


def _value(default: object) -> str:
    return f"`{default}`" if default != "" else ""


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def presets() -> None:
    """What each preset stands for."""
    print("| preset | time | epochs | largest image | networks | largest network | what |")
    print("|---|---|---|---|---|---|---|")
    for preset in PRESETS.values():
        size = f"{preset.params / 1e6:g} M parameters, {preset.macs:g} GMACs"
        cells = (f"`{preset.name}`", f"{preset.time / 60:g} min", preset.epochs, preset.image_size, preset.models, size)
        print("|", " | ".join(str(cell) for cell in (*cells, preset.summary)), "|")


def searchers() -> None:
    """The searchers that core brings."""
    for entry in builtin.autoft_searchers():
        print(f"- `{entry.name}`: {entry.summary}")


def aliases() -> None:
    """Short and foreign names of parameters."""
    print(", ".join(f"`{alias}` for `{key}`" for alias, key in ALIASES.items()) + ".")


def command_line() -> None:
    """What `--help` says, for the program and for every verb."""
    os.environ["COLUMNS"] = "100"
    for words in ([], *([verb] for verb in VERBS)):
        print(f"## `{' '.join(['autoft', *words])}`\n\n```text")
        run([*words, "--help"])
        print("```\n")


def api() -> None:
    """Every public name with its fields or its methods: a change of this page is a change of the contract."""
    for name in public.__all__:
        thing = getattr(public, name)
        if isinstance(thing, type):
            print(f"### `{name}`\n\n{_first_line(thing)}\n")
            members = list(_members(thing))
            if members:
                print("```python\n" + "\n".join(members) + "\n```\n")
        elif inspect.isfunction(thing):
            print(f"### `{name}({', '.join(inspect.signature(thing).parameters)})`\n\n{_first_line(thing)}\n")


def _members(kind: type) -> Iterator[str]:
    for node in _body(kind):
        if isinstance(node, ast.AnnAssign):
            yield ast.unparse(node)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.returns:
            yield f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
