"""Files with configurations: what is read, and what is refused in which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autoft.errors import UsageError
from autoft.search import listed, overrides
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from tests.search.test_halved import CARD

ROWS = [{"lr": 0.001, "wd": 0.1, "optimizer": "adamw"}, {"lr": 0.01, "wd": 0, "optimizer": "sgd"}]
SPACE = default_space([CARD], {CARD.name: (96,)}, "balanced", 500)


def written(folder: Path, text: str) -> str:
    path = folder / "configs.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("lines", [False, True])
def test_a_list_or_one_object_a_line(tmp_path, lines):
    text = "\n".join(map(json.dumps, ROWS)) + "\n" if lines else json.dumps(ROWS, indent=1)
    rows = listed.read(written(tmp_path, text))
    assert rows[1] == {"lr": 0.01, "weight_decay": 0, "optimizer": "sgd"}, "short names are written out"


def test_the_values_are_the_space_and_the_rows_are_tried_as_they_stand():
    rows = [{"lr": 0.001, "freeze": 0}, {"lr": 0.01, "freeze": 0.4}, {"lr": 0.001, "freeze": 1}]
    whole = spaces.edit(SPACE, overrides.parse(listed.values(rows, {"epochs": "3"}), SPACE))
    found = {param.key: param.choices for param in whole}
    assert (found["lr"], found["freeze"], found["epochs"]) == ((0.001, 0.01), (0.0, 0.4, 1.0), (3,))
    asked = listed.ListedSearch(rows, whole)
    for number, row in enumerate(rows):
        params = asked.ask(number)
        assert params is not None and {key: params[key] for key in row} == row
        assert spaces.resolve(whole, params) == params and params["epochs"] == 3
    assert asked.ask(3) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "cannot be read"),
        ("[]", "each configuration must be an object"),
        ("[3]", "each configuration must be an object"),
        ('[{"lr": [1]}]', r"lr must be a number, a word, true or false, but .* has \[1\]"),
        ('[{"lr": 1}, {"lr": 1, "clip": 1}]', "number 1 of .* differs from the first in clip"),
    ],
)
def test_what_is_refused(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        listed.read(written(tmp_path, text))


def test_a_missing_file_and_a_parameter_in_both_places(tmp_path):
    with pytest.raises(UsageError, match="--configs must name a file"):
        listed.read(str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="but weight_decay stands in both"):
        listed.values([{"weight_decay": 0.1}], {"wd": "0"})


def test_an_unknown_parameter_has_a_near_one():
    with pytest.raises(UsageError, match="Did you mean 'dropout'"):
        overrides.parse(listed.values([{"dropuot": 0.1}], {}), SPACE)
