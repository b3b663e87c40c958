"""Columns with unusual names are told by what stands in them, and what could be several is not guessed."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load

CLASSES = SimpleNamespace(inputs=("text",), targets=("label",))
NUMBERS = SimpleNamespace(inputs=("text",), targets=("value",))
ROWS = 20


@pytest.fixture
def told(tmp_path):
    """Which columns a table of these has as what: `told(CLASSES, name=cell of row n, ...)`."""

    def look(task, columns):
        with (tmp_path / "t.csv").open("w", newline="") as file:
            csv.writer(file).writerows([[*columns], *([cell(n) for cell in columns.values()] for n in range(ROWS))])
        dataset = readers.open_dataset(load(), DataOptions(data=str(tmp_path / "t.csv")), task)
        assert len(dataset.samples) == ROWS
        return dataset.recognised.split("rows: ")[1]

    return look


def words(n):
    return f"these are the words of row {n}"


def mood(n):
    return ("good", "bad")[n // 10]


@pytest.mark.parametrize(
    ("columns", "text", "label"),
    [
        ({"Category": mood, "Message": words}, "Message", "Category"),
        ({"v1": mood, "v2": words, "": lambda n: ""}, "v2", "v1"),
        ({"qid": lambda n: f"00a{n}", "question_text": words, "target": lambda n: n % 2}, "question_text", "target"),
        ({"tweet_id": lambda n: 570306133677 + n, "tweet": words, "sentiment": mood}, "tweet", "sentiment"),
        ({"userId": lambda n: n // 4, "what": words, "how": mood}, "what", "how"),
        ({"when": lambda n: f"Mon Apr {n} 22:19:45 2009", "what": words, "how": mood}, "what", "how"),
        ({"url": lambda n: f"https://example.org/{n}", "what": words, "how": mood}, "what", "how"),
        ({"评论": lambda n: f"这个酒店很好服务不错{n}", "类": mood}, "评论", "类"),
        ({"airline": lambda n: n % 3, "airline_sentiment": mood, "text": words}, "text", "airline_sentiment"),
        ({"reason": lambda n: mood(n) * (n % 3 == 0), "how": mood, "text": words}, "text", "how"),
    ],
)
def test_texts_and_classes(told, columns, text, label):
    assert told(CLASSES, columns) == f"text in column '{text}', label in column '{label}'"


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        ({"essay_id": lambda n: n, "full_text": words, "score": lambda n: n / 3}, "score"),
        ({"id": lambda n: n, "text": words, "label": lambda n: n / 3}, "label"),
        ({"code": lambda n: f"x{n}", "text": words, "ease": lambda n: f"{n},5"}, "ease"),
        ({"text": words, "kind": mood, "domain1_score": lambda n: n}, "domain1_score"),
    ],
)
def test_numbers(told, columns, value):
    assert f"value in column '{value}'" in told(NUMBERS, columns)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (
            {**{f"answer{k}": words for k in range(5)}, "how": mood},
            "the text, but several could be: answer0, answer1, answer2, answer3, answer4",
        ),
        ({"text": words, "how": mood, "where": lambda n: n % 4}, "must be the label, but several could be: how, where"),
    ],
)
def test_what_several_columns_could_be_is_asked(told, columns, reason):
    with pytest.raises(DataError, match=reason) as caught:
        told(CLASSES, columns)
    assert "COLUMN" in caught.value.hint


def test_an_id_is_never_a_class(told):
    with pytest.raises(DataError, match="must be the label, but none looks like it"):
        told(CLASSES, {"id": lambda n: n, "text": words})


@pytest.mark.parametrize("name", ["Nr.", "No.", "id#", "row"])
def test_a_count_with_a_point_is_no_number_to_learn(told, name):
    columns = {name: lambda n: n + 1, "text": words, "amount": lambda n: 3.5 * (n % 7)}
    assert told(NUMBERS, columns) == "text in column 'text', value in column 'amount'"
