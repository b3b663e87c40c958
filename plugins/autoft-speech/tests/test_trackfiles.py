"""Files of pieces that are damaged or long."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoft.api import Issue
from autoft_speech import _trackfiles

RAVEN = "Selection\tView\tBegin Time (s)\tEnd Time (s)\tspecies\n1\tS\t0.5\t1.0\tdog\n"
SLOTS = "".join(f'<TIME_SLOT TIME_SLOT_ID="{n}" TIME_VALUE="{time}"/>' for n, time in enumerate(["500", "1000.5", "x"]))
GRID = ["ooTextFile", 'Object class = "TextGrid"', "", "0", "3", "<exists>", "1"]
GRID += ['"IntervalTier"', '"species"', "0", "3", "2", "0.5", "1", '"dog"']


def piece(begin: int, end: int, words: str) -> str:
    refs = f'TIME_SLOT_REF1="{begin}" TIME_SLOT_REF2="{end}"'
    return f"<ALIGNABLE_ANNOTATION {refs}><ANNOTATION_VALUE>{words}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION>"


ELAN = f'<ANNOTATION_DOCUMENT>{SLOTS}<TIER TIER_ID="species">{piece(0, 1, "dog")}{piece(1, 2, "cat")}</TIER>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.selections.txt", RAVEN + "2\tS\t\t\tcat\n"),
        ("a.eaf", ELAN + "</ANNOTATION_DOCUMENT>"),
        ("a.TextGrid", "\n".join([*GRID, "1", "1e400", '"cat"'])),
    ],
)
def test_one_bad_piece_is_named_and_the_others_are_read(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    issues: list[Issue] = []
    marks = _trackfiles.read(str(tmp_path / name), issues)["species"]
    assert [(mark.begin, mark.words) for mark in marks] == [(0.5, "dog")]
    assert [(issue.kind, issue.subject) for issue in issues] == [("no_piece", name)] and "cat" in issues[0].detail


def test_a_count_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.TextGrid").write_text("\n".join(GRID).replace("\n2\n", "\n1e400\n"))
    issues: list[Issue] = []
    assert _trackfiles.read(str(tmp_path / "a.TextGrid"), issues) == {} and issues[0].kind == "unreadable"


@pytest.mark.parametrize("before", range(24))
def test_long_label_tracks_with_letters_of_several_bytes(tmp_path: Path, before: int) -> None:
    lines = [f"{n / 100:.6f}\t{n / 100 + 0.01:.6f}\tGrünfink\n" for n in range(300)]
    (tmp_path / "a.txt").write_text("0.000000\t0.010000\t" + before * "x" + "\n" + "".join(lines), "utf-8")
    assert _trackfiles.kind(str(tmp_path / "a.txt")) == "Audacity"


def test_a_link_to_nothing_is_no_track(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone.txt")
    assert _trackfiles.kind(str(tmp_path / "a.txt")) == ""
