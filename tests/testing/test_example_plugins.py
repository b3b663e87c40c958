"""The example plugins as a stranger meets them: installed or named by AUTOFT_PLUGINS, then composed with each other."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tokenize
import zipfile
from pathlib import Path

import pytest

from autoft.testing import toys

EXAMPLES = Path(__file__).parents[2] / "examples" / "plugins"
NAMES = ("tiny_task", "tiny_backend")

COMPOSE = """
import json, sys
from pathlib import Path
import msgspec
import numpy as np
from autoft import registry
from autoft.api import Job, Recipe
from autoft.testing import toys

loaded = registry.load()
task, backend, source = loaded.get("task", "image-grade"), loaded.get("backend", "tiny"), loaded.get("models", "tiny")
card = source.catalogue()[0]
data = toys.dataset(Path(sys.argv[1]))
grade = {name: str(number) for number, name in enumerate(toys.CLASSES)}
samples = [msgspec.structs.replace(s, fields={**s.fields, "label": grade[s.fields["label"]]}) for s in data.samples]
data = msgspec.structs.replace(data, samples=tuple(samples))
schema = task.schema(data)
problem = next(p for p in task.formulations(schema) if not backend.supports(p, card))
targets = task.encode(data.samples, schema, problem)
feed = toys.ArrayFeed({"image": toys.load([s.fields["image"] for s in data.samples]), **targets})
learner = backend.build(Job(card=card, problem=problem, recipe=Recipe(lr=0.1, batch_size=8), image_size=32))
for epoch in range(1, 41):
    learner.train_epoch(feed, epoch, lambda: False)
scores = task.score(task.decode(learner.predict(feed), schema, problem), targets, schema, ["mean_error", "accuracy"])
plugins = {p.module: [p.distribution, p.version, p.error] for p in loaded}
print(json.dumps({"scores": scores, "plugins": plugins, "problem": problem.name}))
"""


def compose(paths: list[Path], folder: Path, **environment: str) -> dict:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), **environment}
    done = subprocess.run([sys.executable, "-c", COMPOSE, str(folder)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(found: dict) -> None:
    assert found["problem"] == "chance of each grade"
    assert found["scores"]["accuracy"] > 0.9
    assert found["scores"]["mean_error"] < 0.2


def test_they_compose_without_being_installed(tmp_path: Path) -> None:
    named = "autoft_tiny_task.plugin,autoft_tiny_backend.plugin"
    found = compose([EXAMPLES / name for name in NAMES], tmp_path, AUTOFT_PLUGINS=named)
    check(found)
    assert found["plugins"]["autoft_tiny_task.plugin"] == ["autoft_tiny_task.plugin", "", ""]


def test_they_compose_when_installed(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the example plugins; it comes with autoft[testing]")
    site = tmp_path / "site"
    for name in NAMES:
        install(EXAMPLES / name, tmp_path / "wheels", site)
    found = compose([site], tmp_path / "data", AUTOFT_PLUGINS="")
    check(found)
    assert found["plugins"]["autoft_tiny_task.plugin"] == ["autoft-tiny-task", "0.1.0", ""]
    assert found["plugins"]["autoft_tiny_backend.plugin"] == ["autoft-tiny-backend", "0.1.0", ""]


@pytest.mark.slow
def test_a_whole_search_runs_on_them(tmp_path: Path) -> None:
    source = toys.write_image_folder(tmp_path / "shapes", per_class=20)
    for number, name in enumerate(toys.CLASSES, start=1):
        (source / name).rename(source / str(number))
    named = "autoft_tiny_task.plugin,autoft_tiny_backend.plugin"
    paths = os.pathsep.join(str(EXAMPLES / name) for name in NAMES)
    words = ["search", "--task", "image-grade", "--models", "tiny/pixels", "--data", str(source), "--trials", "3"]
    done = subprocess.run(
        [sys.executable, "-c", "from autoft.cli.main import main; main()", *words, "--time", "150s", "lr=0.1"],
        env={**os.environ, "PYTHONPATH": paths, "AUTOFT_PLUGINS": named},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(next(tmp_path.glob("runs/image-grade/*/metrics.json")).read_text())
    assert summary["metric"] == "mean_error" and summary["mode"] == "min"
    assert summary["best"]["model"] == "tiny/pixels"
    assert summary["test"]["metrics"]["mean_error"] < 0.5


def install(project: Path, wheels: Path, site: Path) -> None:
    """Build the wheel and unpack it, which is what `pip install --no-deps --target` does; needs no network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for wheel in wheels.glob(f"autoft_{project.name}-*.whl"):
        zipfile.ZipFile(wheel).extractall(site)


@pytest.mark.parametrize("name", NAMES)
def test_they_are_tiny(name: str) -> None:
    files = sorted((EXAMPLES / name / f"autoft_{name}").glob("*.py"))
    assert sum(code_lines(path.read_text()) for path in files) < 100, "an example is read at one go"


def code_lines(text: str) -> int:
    """Lines that hold code: neither blank, nor a comment, nor part of a docstring."""
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    lines: set[int] = set()
    start_of_statement = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and start_of_statement:
            continue  # a docstring
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
        start_of_statement = token.type in skipped
    return len(lines)
