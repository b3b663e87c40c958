"""Which GPUs a machine has, and which of them each trial sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoft import gpus
from autoft.options import SearchOptions
from autoft.pipeline import plan


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    return tmp_path


def test_a_machine_without_devices_has_none(devices: Path) -> None:
    assert gpus.names() == () and not gpus.present()


def test_every_device_is_counted(devices: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (devices / name).touch()
    assert gpus.names() == ("0", "1") and gpus.present()


def test_one_device_of_a_container_is_the_first(devices: Path) -> None:
    (devices / "nvidia5").touch()
    assert gpus.names() == ("0",), "CUDA counts those that it sees"


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ("2,0", ("2", "0")),
        ("GPU-1b2c, MIG-3d", ("GPU-1b2c", "MIG-3d")),
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("1,-1,2", ("1",)),
        ("0,3,1", ("0",)),
        ("1,1,0", ("1",)),
    ],
)
def test_the_environment_says_which_are_seen(
    devices: Path, monkeypatch: pytest.MonkeyPatch, told: str, names: tuple[str, ...]
) -> None:
    for number in range(3):
        (devices / f"nvidia{number}").touch()
    monkeypatch.setenv(gpus.VISIBLE, told)
    assert gpus.names() == names and gpus.present() == bool(names)


def test_a_variable_gives_a_machine_no_gpu(devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "0")
    assert gpus.names() == () and not gpus.present()


@pytest.mark.parametrize("device", ["kfd", "dxg"])
def test_other_gpus_are_there_but_have_no_names(devices: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    (devices / device).touch()
    assert gpus.names() == () and gpus.present()
    monkeypatch.setenv(gpus.VISIBLE, "-1")
    assert gpus.present() == (device == "kfd")


@pytest.mark.parametrize(
    ("count", "share", "trials"),
    [(1, 1, 1), (2, 1, 2), (1, 0.25, 4), (2, 0.3, 6), (1, 0.1, 10), (4, 2, 2), (3, 2, 1), (1, 2, 0), (0, 0.5, 0)],
)
def test_as_many_trials_as_gpus_hold(count: float, share: float, trials: int) -> None:
    assert gpus.fit(count, share) == trials


def test_gpus_are_dealt_evenly() -> None:
    assert gpus.dealt(["0", "1"], 0.5, 4) == [("0",), ("1",), ("0",), ("1",)]
    assert gpus.dealt(["0", "1", "2"], 1, 2) == [("0",), ("1",)]
    assert gpus.dealt(["0", "1", "2", "3", "4"], 2, 2) == [("0", "1"), ("2", "3")]
    assert gpus.dealt(["0"], 2, 2) == [(), ()]


def test_the_command_that_asks_for_the_same_tells_of_parts_of_gpus() -> None:
    told = {share: plan.command(SearchOptions(gpus_per_trial=share)) for share in (-1.0, 0.0, 0.25, 1.0, 2.0)}
    assert "--gpus-per-trial 0.25" in told[0.25] and "--gpus-per-trial 2" in told[2.0]
    assert not any("gpus" in told[share] for share in (-1.0, 0.0, 1.0)), "which is what each machine does by itself"
