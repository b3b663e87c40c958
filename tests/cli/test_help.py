"""Help: every verb explains itself with examples, and shows the defaults that really hold."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest

from autoft.cli.group import VERBS
from autoft.options import SearchOptions
from autoft.search.presets import PRESETS
from tests.cli.conftest import Cli


def test_alone_it_shows_help_with_examples(cli: Cli) -> None:
    alone, asked = cli(), cli("--help")
    assert alone.code == asked.code == 0
    assert alone.out.strip() == asked.out.strip()
    assert "Examples:\n  # " in alone.out
    for verb, summary in VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(summary[:40])}", alone.out, flags=re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_verb_shows_examples_of_itself(cli: Cli, verb: str, option: str) -> None:
    ran = cli(verb, option)
    assert ran.code == 0
    examples = ran.out.partition("Examples:")[2]
    assert f"autoft {verb}" in examples
    assert ran.err == ""


@pytest.mark.parametrize("verb", VERBS)
def test_examples_use_options_that_exist(cli: Cli, verb: str) -> None:
    text = cli(verb, "--help").out
    options, _, examples = text.partition("Examples:")
    used = set(
        re.findall(r"(?<=\s)--?[a-z][a-z-]*", "\n".join(row for row in examples.splitlines() if "  autoft" in row))
    )
    assert used <= set(re.findall(r"--?[a-z][a-z-]*", options))


@pytest.mark.parametrize("field", [f for f in SearchOptions.__struct_fields__ if f not in ("overrides", "repeat")])
def test_search_has_every_option(cli: Cli, field: str) -> None:
    assert f"--{field.replace('_', '-')}" in cli("search", "--help").out


def test_defaults_are_shown_as_they_hold(cli: Cli) -> None:
    shown = " ".join(cli("search", "--help").out.split())
    defaults = SearchOptions()
    for word in (
        defaults.preset,
        "(auto)",
        "(random)",
        "(asha)",
        defaults.out,
        defaults.backend,
        defaults.seed,
    ):
        assert f"[default: {word}]" in shown
    assert "[default: 5%]" in shown
    for preset in PRESETS.values():
        assert (
            f"{preset.name} {int(preset.time) // 60}m" in shown or f"{preset.name} {int(preset.time) // 3600}h" in shown
        )


def test_one_line_of_the_list_matches_the_verb() -> None:
    for verb in VERBS:
        module = importlib.import_module(f"autoft.cli.{verb}")
        assert module.app.registered_commands[0].callback.__name__ == verb


def test_version(cli: Cli) -> None:
    from autoft.version import VERSION

    assert cli("--version").out == f"autoft {VERSION}\n"


def test_the_installed_script_speaks_through_main() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autoft.cli.main", "serch"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Did you mean 'search'?" in done.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m autoft.cli.main search --help | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")
    assert done.stderr == ""
