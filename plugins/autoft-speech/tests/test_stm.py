"""Pieces of recordings that `.stm` files tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoft.api import DataError, Dataset, ReadOptions
from autoft_speech._stm import StmReader

NEEDS = ReadOptions(needs=("audio", "transcript"))


def write(folder: Path, files: dict[str, list[str]]) -> Path:
    """Files of lines, and an empty recording for each."""
    for name, lines in files.items():
        text = folder / f"{name}.stm"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text("\n".join(lines) + "\n")
        sound = Path(str(text.with_suffix(".sph")).replace("/stm/", "/sph/"))
        sound.parent.mkdir(parents=True, exist_ok=True)
        sound.touch()
    return folder


def read(folder: Path) -> Dataset:
    assert StmReader().sniff(str(folder), NEEDS)
    return StmReader().read(str(folder), NEEDS)


def talk(name: str) -> list[str]:
    return [
        ";; a comment",
        f"{name} 1 {name} 0.50 2.25 <o,f0,male> so this is it",
        f"{name} 1 inter_segment_gap 2.25 3 <o,,unknown> ignore_time_segment_in_scoring",
        f"{name} 1 {name} 3 4.75 and that 's all",
    ]


def test_pieces_parts_and_speakers(tmp_path: Path) -> None:
    names = {"train/stm/Ann_2010": "train", "train/stm/Bo_2011": "train", "dev/stm/Cy_2012": "val"}
    found = read(write(tmp_path, {name: talk(Path(name).name) for name in names}))
    assert [(sample.id, sample.split, sample.group) for sample in found.samples][:3] == [
        ("dev/sph/Cy_2012.sph@0.5-2.25s", "val", "Cy_2012"),
        ("dev/sph/Cy_2012.sph@3-4.75s", "val", "Cy_2012"),
        ("train/sph/Ann_2010.sph@0.5-2.25s", "train", "Ann_2010"),
    ]
    assert [sample.fields["transcript"] for sample in found.samples] == ["so this is it", "and that 's all"] * 3
    assert found.samples[1].fields["piece"] == [3.0, 4.75]
    assert "3 speakers, 6 pieces of 3 recordings" in found.recognised
    assert found.recognised.endswith("; 3 that are not to be scored are left out")


def test_too_few_speakers_are_no_groups(tmp_path: Path) -> None:
    assert {sample.group for sample in read(write(tmp_path, {"a": talk("a")})).samples} == {""}


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    lines = ["a 1 ann 1.0 2.0 yes", "gone 1 ann 1 2 yes", "a 1 ann 3 2 yes", "a 1 ann five six yes", "a 1 ann 2 3"]
    found = read(write(tmp_path, {"a": lines}))
    assert [(issue.kind, issue.subject) for issue in found.issues] == [
        ("missing", "a.stm line 2"),
        ("no_piece", "a.stm line 3"),
        ("no_piece", "a.stm line 4"),
        ("no_transcript", "a.sph@2-3s"),
    ]


def test_other_folders_are_refused(tmp_path: Path) -> None:
    assert not StmReader().sniff(str(tmp_path), NEEDS)
    with pytest.raises(DataError, match=r"must hold recordings and \.stm files"):
        StmReader().read(str(tmp_path), NEEDS)
