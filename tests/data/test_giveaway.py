"""Columns of texts that say the answer are not read beside others, and are pointed out where they are alone."""

from __future__ import annotations

import csv
import random
from types import SimpleNamespace

import pytest

from autoft.data import giveaway, readers
from autoft.options import DataOptions
from autoft.registry import load

KINDS = ("Pinot Noir", "Riesling", "Syrah")


def kind(n):
    return KINDS[n % 3]


def plain(n):
    return f"tastes of many things, the taster numbered {n} says"


def telling(n):
    return f"House {n} 2013 {kind(n)} (Etna)"


@pytest.fixture
def opened(tmp_path):
    def read(columns, target="label", **options):
        with (tmp_path / "t.csv").open("w", newline="") as file:
            csv.writer(file).writerows([[*columns], *([cell(n) for cell in columns.values()] for n in range(30))])
        task = SimpleNamespace(inputs=("text",), targets=(target,))
        return readers.open_dataset(load(), DataOptions(data=str(tmp_path / "t.csv"), **options), task)

    return read


def test_a_title_that_says_the_class_is_not_read(opened):
    columns = {"description": plain, "title": telling, "variety": kind}
    found = opened(columns)
    assert found.samples[0].fields["text"] == plain(0)
    assert "'title' says the answer itself in 100% of the rows and is not read" in found.recognised
    both = opened(columns, text_col="description,title")
    assert both.samples[0].fields["text"] == [plain(0), telling(0)] and "answer" not in both.recognised


def test_a_lone_text_that_says_the_class_is_read_and_pointed_out(opened):
    found = opened({"title": telling, "variety": kind})
    assert len(found.samples) == 30 and found.recognised.endswith("is this what shall be learned?)")


def test_a_text_that_says_it_now_and_then_is_read(opened):
    columns = {"description": plain, "title": lambda n: telling(n) if n % 4 == 0 else f"House of wine {n}", "y": kind}
    assert opened(columns).samples[1].fields["text"] == [plain(1), "House of wine 1"]


@pytest.mark.parametrize(
    "raw",
    [
        lambda n: f"{20000 + n * 1000} - {25000 + n * 1000}/annum",
        lambda n: f"From {20000 + n * 1000:,} to {25000 + n * 1000:,} per annum plus benefits",
        lambda n: f"all in all it is {22500 + n * 1000}.00 a year",
    ],
)
def test_a_salary_in_words_is_not_read_to_learn_the_salary(opened, raw):
    columns = {"Description": plain, "SalaryRaw": raw, "SalaryNormalized": lambda n: 22500 + n * 1000}
    found = opened(columns, target="value")
    assert found.samples[0].fields == {"text": plain(0), "value": 22500.0}


@pytest.mark.parametrize("share", [2, 3])
def test_a_main_text_that_mentions_its_class_is_read_and_pointed_out(opened, share):
    def body(n):
        return f"how do I taste {kind(n) if n % 3 < share else 'wine'} number {n} rightly"

    found = opened({"heading": plain, "body": body, "tag": kind}, text_col="heading,body")
    assert "answer" not in found.recognised
    found = opened({"title": plain, "body": body, "tag": kind})
    assert found.samples[0].fields["text"] == [plain(0), body(0)]
    assert f"'body' says the answer itself in {share / 3:.0%} of the rows: is this" in found.recognised


def test_a_prompt_with_all_classes_says_no_answer(opened):
    def prompt(n):
        return f"Is this Pinot Noir, Riesling or Syrah: a glass of wine {n}"

    found = opened({"ask": prompt, "note": plain, "variety": kind})
    assert found.samples[0].fields["text"] == [prompt(0), plain(0)] and "answer" not in found.recognised


def test_of_classes_that_begin_alike_the_one_that_stands_there_counts():
    kinds = ["Pinot", "Pinot Noir", "Java", "JavaScript"] * 5
    assert giveaway.share([f"a {name}, it is" for name in kinds], kinds) == 1
    assert giveaway.share(["a Pinot Noir"] * 20, kinds) == 0.25


def test_many_numbers_hold_no_middle():
    years = random.Random(0)
    cells = [" ".join(str(years.randrange(1950, 2021)) for _ in range(10)) for _ in range(500)]
    answers = [str(years.randrange(1950, 2021)) for _ in range(500)]
    assert giveaway.share(cells, answers) < 0.2
    assert giveaway.share([f"{n}00 - {n + 2}00" for n in range(10, 30)], [f"{n + 1}00" for n in range(10, 30)]) == 1


def test_short_answers_tell_nothing():
    assert giveaway.share(["a b c"] * 20, ["a", "b"] * 10) == 0
    assert giveaway.share([f"it has {n % 5} of them" for n in range(20)], [str(n % 5) for n in range(20)]) == 0
    assert giveaway.share(["sports"] * 20, ["sports"] * 20) == 0
    assert giveaway.share(["the sportsman", "the news"] * 10, ["sports", "news"] * 10) == 0.5
