"""The program answers `--help` and its lists without loading numpy, Ray or any framework.

Counted in modules, not in seconds: a count is the same on every machine.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"cv2", "datasets", "jax", "keras", "numpy", "optuna", "pandas", "PIL", "pyarrow", "ray", "scipy", "sklearn"}
HEAVY |= {"safetensors", "tensorflow", "timm", "torch", "torchvision", "transformers"}

PROGRAM = """
import sys, json
from autoft.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write("\\nLOADED" + json.dumps([code, sorted(sys.modules)]))
"""

#: Most modules that may be loaded. Lower a number when the count falls; raise it only with a reason.
BUDGET = {
    "": 360,
    "--help": 302,  # files of their own for metrics and for loose quotes: those they were in were full
    "--version": 220,
    "search --help": 360,
    "plugins": 380,
    "ls tasks": 380,
    "ls models": 450,
}


def loaded(*words: str) -> tuple[int, set[str]]:
    """Exit code of `autoft WORDS` in a process of its own, and the modules it had loaded at its end."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, timeout=120)
    assert "LOADED" in done.stderr, done.stderr
    code, modules = json.loads(done.stderr.rpartition("LOADED")[2])
    return code, set(modules)


@pytest.mark.parametrize("words", BUDGET)
def test_light(words: str) -> None:
    code, modules = loaded(*words.split())
    assert code == 0
    assert not HEAVY & modules, "these must be imported when they are used"
    assert len(modules) <= BUDGET[words]


def test_the_check_sees_a_heavy_module() -> None:
    program = PROGRAM.replace("import sys, json", "import sys, json, numpy")
    done = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True, timeout=120)
    assert "numpy" in json.loads(done.stderr.rpartition("LOADED")[2])[1]
