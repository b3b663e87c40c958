"""Pages keep up with the code: generated parts are current, the interface is explained, links lead somewhere."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autoft import hookspecs, recipe
from autoft.options import SearchOptions

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("plugins/*/*.md"), *ROOT.glob("examples/**/*.md")])
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("autoft_")}
ADRS = sorted((DOCS / "adr").glob("[0-9]*.md"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_generated_parts_are_current() -> None:
    pages = [str(page) for page in sorted(DOCS.rglob("*.md"))]
    command = [sys.executable, "-m", "cogapp", "--check", "--diff", "-P", "-I", str(ROOT / "tools"), *pages]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, f"run: nox -s docs -- -r\n{done.stdout[-4000:]}{done.stderr[-2000:]}"


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_documented(hook: str) -> None:
    assert (inspect.getdoc(HOOKS[hook]) or "").endswith(".")
    heading = f"`{hook}({', '.join(inspect.signature(HOOKS[hook]).parameters)})`"
    assert heading in (DOCS / "plugins.md").read_text()


@pytest.mark.parametrize("field", [field for field in recipe.FIELDS if field != "extra"])
def test_parameter_is_documented(field: str) -> None:
    row = next(line for line in (DOCS / "parameters.md").read_text().splitlines() if line.startswith(f"| `{field}` |"))
    assert len(row.split("|")[4].strip()) > 10


@pytest.mark.parametrize("option", SearchOptions.__struct_fields__)
def test_option_is_in_the_command_line(option: str) -> None:
    if option != "overrides":
        assert f"--{option.replace('_', '-')}" in (DOCS / "cli.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            place = (page.parent / file) if file else page
            if not place.exists() or (anchor and anchor not in anchors(place)):
                dead.append(target)
    assert not dead


def anchors(page: Path) -> set[str]:
    """The names that headings get on the usual Markdown hosts."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_plain_words(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    assert not re.findall(r"\b(?:simply|just|obviously|easily)\b", prose, flags=re.IGNORECASE)


@pytest.mark.parametrize("page", ADRS, ids=name)
def test_decision_has_its_parts(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequence", "Guard"]
    assert page.name in (DOCS / "adr" / "index.md").read_text()


@pytest.mark.parametrize("page", ADRS, ids=name)
def test_guards_exist(page: Path) -> None:
    guard = page.read_text().partition("## Guard")[2]
    missing = [path for path in re.findall(r"`([\w/.-]+\.py)(?:::\w+)*`", guard) if not (ROOT / path).is_file()]
    assert not missing
