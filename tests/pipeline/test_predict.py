"""What predictions are made for, what their rows are called, and what memory they take."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from autoft.cli.main import run
from autoft.errors import DataError, UsageError
from autoft.events import Finished
from autoft.options import DataOptions
from autoft.pipeline import predict
from autoft.pipeline.predict import Prediction
from autoft.pipeline.search import run_search
from autoft.pipeline.validate import validate
from autoft.predictor import Predictor
from autoft.records import Splits, from_json
from autoft.run import Run
from tests.pipeline.conftest import Heard, options


@pytest.fixture(scope="module")
def searched(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    wanted = options(images, tmp_path_factory.mktemp("runs"), scheduler="", refit=False, trials=1)
    return run_search(wanted, Heard())


@pytest.fixture
def model(searched: Finished) -> Predictor:
    return Run(searched.folder).best


@pytest.fixture
def place(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`a/x.png`, `b/x.png` and `b/bad.png`, below the current folder."""
    for folder, kind in (("a", "red_disc"), ("b", "blue_ring")):
        (tmp_path / folder).mkdir()
        shutil.copy(min((images / kind).iterdir()), tmp_path / folder / "x.png")
    (tmp_path / "b" / "bad.png").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(rows: list[dict[str, Any]]) -> list[str]:
    return [row["file"] for row in rows]


def test_files_are_called_what_the_user_called_them(model: Predictor, place: Path) -> None:
    with pytest.warns(UserWarning, match=r"1 not an image.*b/bad\.png"):
        rows = model.predict(["a/x.png", "b/bad.png", place / "b" / "x.png"])
    assert files(rows) == ["a/x.png", str(place / "b" / "x.png")]
    assert [row["prediction"] for row in rows] == [model.predict(name)[0]["prediction"] for name in files(rows)]


def test_files_of_folders_are_told_apart(model: Predictor, place: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert files(model.predict(".")) == ["a/x.png", "b/x.png"]
        assert files(model.predict("a")) == ["x.png"]
        assert files(model.predict(["a", "b"])) == ["a/x.png", "b/x.png"]


def test_rows_of_tables_keep_their_names(model: Predictor, place: Path) -> None:
    (place / "list.csv").write_text("image\na/x.png\nb/x.png\na/x.png\n")
    assert files(model.predict("list.csv")) == ["a/x.png", "b/x.png", "a/x.png"]
    assert files(model.predict(["a/x.png", "list.csv"])) == [
        "a/x.png",
        *(f"list.csv: {name}" for name in ("a/x.png", "b/x.png", "a/x.png")),
    ]


def test_columns_of_tables_are_told(model: Predictor, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "list.csv").write_text("n,picture\n1,a/x.png\n2,b/x.png\n")
    (said,) = Prediction(model, ["list.csv"]).said
    assert said == "list.csv: image in column 'picture'"
    assert Prediction(model, ["a"]).said == ()
    run(["predict", str(model.folder), "--source", "list.csv", "--json"])
    done = capsys.readouterr()
    assert said in done.err and done.out.startswith("[")
    run(["predict", str(model.folder), "--source", "list.csv", "--quiet"])
    assert said not in capsys.readouterr().err


def test_patterns_and_the_own_folder(model: Predictor, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place))
    assert files(model.predict("*/x.png")) == ["a/x.png", "b/x.png"]
    assert files(model.predict("~/a/x.png")) == [str(place / "a" / "x.png")]
    (place / "[1].png").write_bytes((place / "a" / "x.png").read_bytes())
    assert files(model.predict("[1].png")) == ["[1].png"], "a file of this very name"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("aa", "there is no file or folder 'aa'. Did you mean 'a'?"),
        ("a/y.png", "no file or folder 'a/y.png'"),
        ("*.gif", "no file or folder matches '*.gif'"),
    ],
)
def test_a_mistyped_source_is_said_in_one_sentence(model: Predictor, place: Path, source: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        model.predict(source)
    assert said in caught.value.message
    assert caught.value.hint == ""


def test_parts_say_what_the_whole_says(searched: Finished, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = predict.predict(searched.folder, str(images))
    monkeypatch.setattr(predict, "PART", 7)
    asked = Prediction(Run(searched.folder).best, [str(images)])
    parts = list(asked.parts())
    assert [len(part.ids) for part in parts] == [7] * 11 + [3]
    assert [row for part in parts for row in part.rows()] == list(whole.rows())
    assert asked.done == len(whole.ids) == 80


def test_nothing_is_done_for_what_cannot_be_written(model: Predictor, place: Path) -> None:
    for wanted in ({"out": "folder"}, {"confidence": 0.5}):
        with pytest.raises(UsageError, match="one row for each file"):
            model.predict("nowhere", **wanted)
    assert not (place / "folder").exists()


def test_what_was_learned_from_is_counted_by_content(searched: Finished, images: Path, tmp_path: Path) -> None:
    splits = from_json((Path(searched.folder) / "splits.json").read_bytes(), Splits)
    learned = {name for fold in splits.folds for name in fold.train}
    found = validate(searched.folder, DataOptions(data=str(images)))
    assert (found["learned"], found["samples"], found["part"]) == (len(learned), 80, "all")
    for name in splits.test:  # under other names
        (tmp_path / "new" / Path(name).parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(images / name, tmp_path / "new" / Path(name).parent / f"copy-{Path(name).name}")
    assert validate(searched.folder, DataOptions(data=str(tmp_path / "new")))["learned"] == 0
    alone = shutil.copytree(Path(searched.folder) / "best", tmp_path / "best")
    assert validate(str(alone), DataOptions(data=str(images)))["learned"] is None


def test_the_test_part_is_scored_where_the_data_name_one(searched: Finished, images: Path, tmp_path: Path) -> None:
    for place in sorted(images.glob("*/*.png")):
        part = "test" if int(place.stem.rpartition("_")[2] or 0) % 4 == 0 else "train"
        (tmp_path / "parts" / part / place.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(place, tmp_path / "parts" / part / place.parent.name)
    data = DataOptions(data=str(tmp_path / "parts"))
    found, every = validate(searched.folder, data), validate(searched.folder, data, part="all")
    assert (found["part"], found["of"], every["samples"]) == ("test", 80, 80)
    assert 0 < found["samples"] < 80
    with pytest.raises(DataError, match="must name a val part"):
        validate(searched.folder, data, part="val")
