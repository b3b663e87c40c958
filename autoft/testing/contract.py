"""What all contract kits share: declared gaps, conformance to a Protocol, and what an import drags in."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import pytest

from autoft.errors import UsageError
from autoft.vocab import did_you_mean

FRAMEWORKS: Final = (
    *("torch", "torchvision", "timm", "transformers", "lightning", "tensorflow", "keras", "keras_hub"),
    *("jax", "flax", "onnxruntime", "ray"),
)
HEAVY: Final = (*FRAMEWORKS, "numpy", "pandas", "scipy", "sklearn", "PIL", "cv2", "matplotlib", "datasets", "pyarrow")
"""What no module may load that is imported on every start."""


class Contract:
    """Base of the kits. A subclass named Test... runs every inherited check."""

    gaps: ClassVar[Mapping[str, str]] = {}
    """Check -> reason. The check (its name without `test_`) must then fail; passing is reported as an error."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        known = [name.removeprefix("test_") for name in dir(cls) if name.startswith("test_")]
        for gap in cls.gaps:
            if gap.partition("[")[0] not in known:
                hint = did_you_mean(gap, known)
                raise UsageError(f"a gap must name a check, but {cls.__name__} has no check '{gap}'.{hint}")

    @pytest.fixture(autouse=True)
    def declared_gap(self, request: pytest.FixtureRequest) -> None:
        """Marks the check as a strict expected failure if the subclass declared it as a gap."""
        check = request.node.name.removeprefix("test_")
        reason = self.gaps.get(check) or self.gaps.get(check.partition("[")[0])
        if reason:
            request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def misfits(thing: object, protocol: type) -> list[str]:
    """How `thing` departs from a Protocol: attributes it lacks, methods that the Protocol's calls would not fit."""
    found = [f"has no attribute '{name}'" for name in inspect.get_annotations(protocol) if not hasattr(thing, name)]
    for name, model in vars(protocol).items():
        if not inspect.isfunction(model) or (name.startswith("_") and name != "__len__") or name == "__init__":
            continue
        method = getattr(thing, name, None)
        if not callable(method):
            found.append(f"has no method '{name}'")
        elif reason := _mismatch(inspect.signature(method), inspect.signature(model)):
            found.append(f"{name}: {reason}")
    return found


def _mismatch(mine: inspect.Signature, model: inspect.Signature) -> str:
    wanted = list(model.parameters.values())[1:]  # without self
    given = list(mine.parameters.values())
    for position, parameter in enumerate(wanted):
        if position >= len(given) or given[position].name != parameter.name:
            return f"parameter {position + 1} must be '{parameter.name}', but the signature is {mine}"
        if parameter.default is not parameter.empty and given[position].default is parameter.empty:
            return f"'{parameter.name}' must have a default, as in the contract"
    for extra in given[len(wanted) :]:
        if extra.default is extra.empty and extra.kind not in (extra.VAR_POSITIONAL, extra.VAR_KEYWORD):
            return f"'{extra.name}' is not in the contract and must have a default"
    return ""


def fresh_python(code: str, *arguments: str) -> str:
    """What `code` prints in a new interpreter that finds the same modules; its error output if it fails."""
    paths = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"a new process could not run this:\n{done.stderr[-4000:]}"
    return done.stdout


def dragged_in(module: str, watched: Sequence[str]) -> list[str]:
    """Which of the `watched` modules importing `module` loads, in a new interpreter."""
    code = (
        "import importlib, json, sys; importlib.import_module(sys.argv[1]); "
        "print('\\n' + json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))"
    )
    loaded: list[str] = json.loads(fresh_python(code, module, json.dumps(list(watched))).splitlines()[-1])
    return loaded
