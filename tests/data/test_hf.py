"""Hugging Face data sets: saved to disk for real; the hub only as far as it can be missed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from autoft.data.hf import HuggingFaceReader
from autoft.errors import DataError, UsageError
from autoft.records import ReadOptions

datasets = pytest.importorskip("datasets")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

NEEDS = ReadOptions(needs=("image", "label"))


@pytest.fixture
def content(tmp_path, picture):
    """Rows of a data set: the bytes of four images, their classes, a word and a patient for each."""
    cells = []
    for i in range(4):
        path = picture(tmp_path / "raw" / f"{i}.{'png' if i % 2 else 'jpg'}", seed=i)
        cells.append({"bytes": path.read_bytes(), "path": path.name})
    return {"image": cells, "label": [0, 1, 0, 1], "word": ["u", "v", "u", "v"], "patient": [7, 7, 8, 8]}


def made(content, **other):
    kinds = {
        "image": datasets.Image(),
        "label": datasets.ClassLabel(names=["cat", "dog"]),
        "word": datasets.Value("string"),
        "patient": datasets.Value("int64"),
    }
    features = {**kinds, **other}
    return datasets.Dataset.from_dict(content, features=datasets.Features({k: features[k] for k in content}))


@pytest.fixture
def saved(content, tmp_path) -> Path:
    made(content).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_saved_data_set(saved, content, cache):
    assert "saved to disk" in HuggingFaceReader().sniff(str(saved), NEEDS)
    dataset = HuggingFaceReader().read(str(saved), NEEDS)
    assert [s.fields["label"] for s in dataset.samples] == ["cat", "dog", "cat", "dog"]
    paths = [Path(s.fields["image"]) for s in dataset.samples]
    assert [p.read_bytes() for p in paths] == [cell["bytes"] for cell in content["image"]]
    assert all(p.is_relative_to(cache) for p in paths)
    assert "image in column 'image', label in column 'label'" in dataset.recognised


def test_files_are_unpacked_once(saved, cache):
    first = HuggingFaceReader().read(str(saved), NEEDS)
    stamps = [Path(s.fields["image"]).stat().st_mtime_ns for s in first.samples]
    second = HuggingFaceReader().read(str(saved), NEEDS)
    assert second == first
    assert [Path(s.fields["image"]).stat().st_mtime_ns for s in second.samples] == stamps
    assert len(list((cache / "hf").iterdir())) == 1


def test_splits(content, tmp_path):
    parts = {"train": made(content), "validation": made(content), "extra": made(content)}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "dict")
    dataset = HuggingFaceReader().read(str(tmp_path / "dict"), NEEDS)
    assert [s.split for s in dataset.samples] == ["train"] * 4 + ["val"] * 4
    assert len({s.id for s in dataset.samples}) == 8


def test_named_columns_and_groups(saved):
    options = ReadOptions(needs=("image", "label"), columns={"label": "word"}, group_col="patient")
    dataset = HuggingFaceReader().read(str(saved), options)
    assert [(s.fields["label"], s.group) for s in dataset.samples] == [("u", "7"), ("v", "7"), ("u", "8"), ("v", "8")]
    with pytest.raises(UsageError, match="Did you mean 'patient'"):
        HuggingFaceReader().read(str(saved), ReadOptions(needs=("image", "label"), group_col="pateint"))


def test_hidden_labels_and_empty_images_become_issues(content, tmp_path):
    content |= {"label": [0, -1, 1, 0], "image": [*content["image"][:3], None]}
    made(content).save_to_disk(tmp_path / "saved")
    dataset = HuggingFaceReader().read(str(tmp_path / "saved"), NEEDS)
    assert len(dataset.samples) == 2
    assert [issue.kind for issue in dataset.issues] == ["no_label", "missing"]
    predicting = ReadOptions(needs=("image", "label"), optional=("label",))
    assert len(HuggingFaceReader().read(str(tmp_path / "saved"), predicting).samples) == 3


def test_a_test_part_whose_labels_are_kept_back_is_left_out(content, tmp_path):
    hidden = made({**content, "label": [-1] * 4})
    datasets.DatasetDict({"train": made(content), "test": hidden}).save_to_disk(tmp_path / "dict")
    dataset = HuggingFaceReader().read(str(tmp_path / "dict"), NEEDS)
    assert [s.split for s in dataset.samples] == ["train"] * 4 and not dataset.issues
    assert "test, Arrow, 4 rows: it says nothing in column 'label' and is left out" in dataset.recognised
    predicting = ReadOptions(needs=("image", "label"), optional=("label",))
    assert len(HuggingFaceReader().read(str(tmp_path / "dict"), predicting).samples) == 8


def test_several_labels(content, tmp_path):
    kinds = datasets.List(datasets.ClassLabel(names=["cat", "dog"]))
    whole = {"image": content["image"], "inside": [[0, 1, 0], [], [1], None]}
    made(whole, inside=kinds).save_to_disk(tmp_path / "saved")
    dataset = HuggingFaceReader().read(str(tmp_path / "saved"), ReadOptions(needs=("image", "labels")))
    assert [s.fields["labels"] for s in dataset.samples] == [["cat", "dog"], [], ["dog"], []]
    assert "labels in column 'inside'" in dataset.recognised


def test_texts(tmp_path):
    texts = datasets.Dataset.from_dict(
        {"text": ["fine", "", "awful"], "label": [1, 0, 0]},
        features=datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["-", "+"])}),
    )
    datasets.DatasetDict({"train": texts, "test": texts}).save_to_disk(tmp_path / "saved")
    needs = ReadOptions(needs=("text", "label"))
    assert "saved to disk" in HuggingFaceReader().sniff(str(tmp_path / "saved"), needs)
    dataset = HuggingFaceReader().read(str(tmp_path / "saved"), needs)
    assert [(s.split, s.fields["text"], s.fields["label"]) for s in dataset.samples] == [
        ("train", "fine", "+"),
        ("train", "awful", "-"),
        ("test", "fine", "+"),
        ("test", "awful", "-"),
    ]
    assert [issue.kind for issue in dataset.issues] == ["no_text", "no_text"]


def test_no_image_column(tmp_path):
    datasets.Dataset.from_dict({"text": ["a"], "label": ["x"]}).save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match="must hold image data, but 0 do"):
        HuggingFaceReader().read(str(tmp_path / "saved"), NEEDS)


def test_a_path_inside_the_data_cannot_leave_the_cache(content, tmp_path, cache):
    content["image"][0]["path"] = "../../../../evil.png"
    made(content).save_to_disk(tmp_path / "saved")
    dataset = HuggingFaceReader().read(str(tmp_path / "saved"), NEEDS)
    assert Path(dataset.samples[0].fields["image"]).is_relative_to(cache / "hf")


def test_damaged_folder(saved):
    for file in saved.glob("*.arrow"):
        file.unlink()
    with pytest.raises(DataError, match="must be whole"):
        HuggingFaceReader().read(str(saved), NEEDS)
    (saved / "state.json").write_text(json.dumps({}))
    with pytest.raises(DataError, match="must be whole"):
        HuggingFaceReader().read(str(saved), NEEDS)


@pytest.mark.parametrize("source", ["hf://owner/flowers", "owner/flowers"])
def test_unreachable_hub_is_one_clear_line(source, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    assert HuggingFaceReader().sniff(source, NEEDS)
    with pytest.raises(DataError, match="cannot be reached") as caught:
        HuggingFaceReader().read(source, NEEDS)
    assert "\n" not in caught.value.message


def test_without_the_library(saved, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "datasets" else find(name, *a))
    with pytest.raises(UsageError, match="not installed") as caught:
        HuggingFaceReader().read(str(saved), NEEDS)
    assert "autoft[datasets]" in caught.value.hint
    with pytest.raises(UsageError, match="no file or folder 'imgs/train'"):
        HuggingFaceReader().read("imgs/train", NEEDS)


@pytest.mark.parametrize("source", ["./imgs", "/data/imgs", "imgs", "a/b/c", "../x", ""])
def test_other_paths_are_no_hub_names(source):
    assert HuggingFaceReader().sniff(source, NEEDS) == ""


def test_an_existing_folder_is_no_hub_name(classes, monkeypatch):
    root = classes({"a": 1})
    monkeypatch.chdir(root.parent)
    assert HuggingFaceReader().sniff("imgs/a", NEEDS) == ""


def saved_rows(folder, rows, **features):
    kinds = {
        name: feature if not isinstance(feature, str) else datasets.Value(feature) for name, feature in features.items()
    }
    datasets.Dataset.from_dict(rows, features=datasets.Features(kinds)).save_to_disk(folder)
    return str(folder)


def test_columns_of_rows_are_told_as_those_of_tables(tmp_path):
    count = 40
    words = [f"some words of text {number} and more" for number in range(count)]
    rows = {
        "title": [f"a title of its own {number}" for number in range(count)],
        "content": words,
        "stars": [float(number % 5) for number in range(count - 1)] + [float("nan")],
        "speaker_id": [number % 7 for number in range(count)],
    }
    source = saved_rows(tmp_path / "rows", rows, title="string", content="string", stars="float32", speaker_id="int64")
    found = HuggingFaceReader().read(source, ReadOptions(needs=("text", "value")))
    assert found.samples[1].fields == {"text": ["a title of its own 1", words[1]], "value": 1.0}
    assert len({sample.group for sample in found.samples}) == 7, "people stay together"
    assert len(found.samples) == count - 1 and [issue.kind for issue in found.issues] == ["no_number"]
    assert found.columns == {"text": "title,content", "value": "stars"}


def test_pairs_and_a_column_of_parts(tmp_path):
    parts = ("train", "validation", "test")
    rows = {
        "premise": [f"some words of text {number}" for number in range(30)],
        "hypothesis": [f"other words, number {number}" for number in range(30)],
        "part": [parts[number // 3 % 3] for number in range(30)],
        "label": [number % 3 - (number == 7) * 2 for number in range(30)],
    }
    kinds = datasets.ClassLabel(names=["yes", "maybe", "no"])
    source = saved_rows(tmp_path / "rows", rows, premise="string", hypothesis="string", part="string", label=kinds)
    found = HuggingFaceReader().read(source, ReadOptions(needs=("text", "label")))
    assert found.samples[0].fields == {"text": [rows["premise"][0], rows["hypothesis"][0]], "label": "yes"}
    assert {sample.split for sample in found.samples} == {"train", "val", "test"}
    assert [issue.kind for issue in found.issues] == ["no_label"]
