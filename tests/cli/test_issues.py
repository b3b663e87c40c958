"""What is wrong with the data, in a line for each kind."""

from __future__ import annotations

from autoft.data.checks import summarise
from autoft.records import Issue
from autoft.report.issues import summarised

FLAGS = [Issue(kind="no_flag", subject=f"tags.csv line {row}", detail="'maybe' in column 'cat'") for row in range(2, 7)]


def test_the_first_of_several_is_told_with_what_is_wrong_with_it() -> None:
    assert [*summarised(FLAGS)] == [
        "5 no flag (left out): tags.csv line 2 ('maybe' in column 'cat'), tags.csv line 3, tags.csv line 4 and 2 more"
    ]
    assert "left out: tags.csv line 2 ('maybe' in column 'cat'), tags.csv line 3" in summarise(FLAGS)[0]


def test_other_details_are_told_of_a_lone_one() -> None:
    empty = [Issue(kind="missing", subject=f"{n}.png", detail="there is no such file") for n in range(2)]
    assert [*summarised(empty)] == ["2 missing (left out): 0.png, 1.png"]
    assert [*summarised(empty[:1])] == ["1 missing (left out): 0.png (there is no such file)"]


def test_very_long_names_are_shortened_in_the_middle() -> None:
    (said,) = summarised([Issue(kind="duplicate", subject="a/" + "long_" * 50 + "1.jpg", drops=False)])
    assert said.startswith("1 duplicate (kept): a/long_") and said.endswith("_1.jpg") and len(said) < 90
