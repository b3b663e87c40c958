"""The group `autoft`: verbs by name, each imported when it is typed; commands of plugins beside them."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from autoft.cli.command import Examples, examples_text, take_as_written
from autoft.errors import PluginError
from autoft.report.words import clean
from autoft.version import VERSION

#: Verb -> the one line shown in `autoft --help`. The module `autoft.cli.VERB` holds its `app`.
VERBS: Final = {
    "search": "Search for the best fine-tuned model for your data",
    "train": "Train one fixed configuration, or one row of a leaderboard again",
    "predict": "Label new files with the best model of a run",
    "val": "Score the best model of a run on other data",
    "report": "Write report.html and the leaderboard of a run again",
    "ls": "List tasks, models, backends, presets, runs and more",
    "plugins": "Show what is installed, what is broken and what fits together",
    "env": "Show versions, hardware, folders",
}

EXAMPLES: Final[Examples] = (
    ("autoft search --task image-cls --data ./imgs --time 10m", "find the best model in ten minutes"),
    ("autoft search --task image-cls --data ./imgs lr=1e-5..1e-2:log freeze=0,0.5,1", "say what to search"),
    ("autoft predict runs/image-cls/search1 --source ./new --out preds.csv", "use it"),
    ("autoft val runs/image-cls/search1 --data ./more", "score it on other data"),
    ("autoft ls models --task image-cls", "see what can be fine-tuned"),
)


class Group(TyperGroup):
    """Shows stubs of names and one-line helps; the real command takes a stub's place when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, summary in VERBS.items():
            self.add_command(_stub(name, summary))
        self._plugins_added = False

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        take_as_written(self, ctx)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args[0] not in VERBS:
            self._add_plugins()
        name, stub, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name and stub else stub, rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._add_plugins()
        super().format_help(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        formatter.write(examples_text(EXAMPLES))

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        self._add_plugins()
        return super().shell_complete(ctx, incomplete)

    def _add_plugins(self) -> None:
        """Stubs for third-party commands. A plugin that breaks a rule must not take the help away."""
        if self._plugins_added:
            return
        self._plugins_added = True
        from autoft import registry

        try:
            entries = registry.installed().entries("command")
        except PluginError as error:
            print(f"warning: no plugin was loaded: {clean(error.message)}", file=sys.stderr)
            return
        for entry in entries:
            if entry.name in VERBS:
                print(f"warning: '{entry.plugin}' offers '{entry.name}', which autoft has itself.", file=sys.stderr)
            else:
                self.add_command(_stub(entry.name, entry.summary or f"from {entry.plugin}"))


def _stub(name: str, summary: str) -> TyperCommand:
    return TyperCommand(name, short_help=summary, help=summary, rich_markup_mode=None)


def _load(name: str) -> Any:
    """The command behind a name. Of a plugin: a `typer.Typer`, or a function that makes one."""
    if name in VERBS:
        command = get_command(importlib.import_module(f"autoft.cli.{name}").app)
    else:
        from autoft import registry

        offered = registry.installed().command(name)
        command = get_command(offered if isinstance(offered, typer.Typer) else offered())
    command.name = name
    return command


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"autoft {VERSION}")
        raise typer.Exit


def _root(
    ctx: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version."),
) -> None:
    """autoft finds the best fine-tuned model for your data: which pretrained network, how much of it to freeze,
    learning rate, batch size, optimizer, regularisation and augmentation.
    """
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


def build() -> Any:
    """The whole command line, ready for `.main(words)`."""
    app = typer.Typer(
        cls=Group,
        rich_markup_mode=None,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback(invoke_without_command=True)(_root)
    return get_command(app)
