"""Media that lie in Parquet and Arrow files, and classes that their metadata name."""

from __future__ import annotations

import io
import json
import wave
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from autoft.data import inspect, readers
from autoft.data.tabular import read_table
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

CLASSES = {"names": ["cat", "dog"], "_type": "ClassLabel"}
MEDIA = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])


def image(seed):
    made = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).save(made, "PNG")
    return made.getvalue()


def sound(seed):
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(seed).integers(-9000, 9000, 1600, dtype=np.int16).tobytes())
    return made.getvalue()


def cells(make, number, path=None):
    return arrow.array([{"bytes": make(seed), "path": path} for seed in range(number)], MEDIA)


def table(columns, features=None):
    found = arrow.table(columns)
    return found.replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})} if features else {}
    )


def opened(data, inputs, targets, **options):
    task = SimpleNamespace(inputs=(inputs,), targets=(targets,))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task)


@pytest.mark.parametrize("numbers", [arrow.int64(), arrow.int32()])
def test_images_in_parquet_with_classes_of_its_metadata(tmp_path, numbers):
    features = {"image": {"_type": "Image"}, "label": CLASSES}
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        (tmp_path / "data").mkdir(exist_ok=True)
        columns = {"image": cells(image, 4), "label": arrow.array([0, 1, 1, -1], numbers)}
        parquet.write_table(table(columns, features), tmp_path / "data" / f"{name}.parquet")
    found = opened(tmp_path, "image", "label")
    assert found.reader == "table" and "names of classes in 'label' from its metadata" in found.recognised
    assert [s.fields["label"] for s in found.samples if s.split == "test"] == ["cat", "dog", "dog"]
    assert sum(sample.split == "train" for sample in found.samples) == 6
    assert [issue.kind for issue in found.issues] == ["no_label"] * 3
    with open(found.samples[0].fields["image"], "rb") as file:
        assert file.read() == image(0) and file.name.endswith(".png")
    assert found.samples[0].id == "test-00000-of-00001.parquet:row 1"


@pytest.mark.parametrize("form", ["struct", "bytes"])
def test_bytes_without_metadata_are_told_by_how_they_begin(tmp_path, form):
    made = cells(sound, 4, "of another machine/a.wav") if form == "struct" else [sound(seed) for seed in range(4)]
    columns = {"speech": made, "picture": cells(image, 4), "text": ["one", "two", "three", "four"]}
    parquet.write_table(table(columns), tmp_path / "train.parquet")
    found = opened(tmp_path, "audio", "transcript")
    assert [sample.fields["transcript"] for sample in found.samples] == ["one", "two", "three", "four"]
    assert all(sample.fields["audio"].endswith(".wav") for sample in found.samples)
    assert not inspect.inspect(found, ["audio"]).issues
    assert found.columns == {"audio": "speech", "transcript": "text"}


def test_a_column_of_paths_beside_the_files_is_not_asked(tmp_path):
    columns = {"path": ["/x/a.wav", "/x/b.wav"], "clip": cells(sound, 2), "label": ["yes", "no"]}
    parquet.write_table(table(columns), tmp_path / "d.parquet")
    assert len(opened(tmp_path, "audio", "label").samples) == 2


def test_two_columns_of_images_must_be_told_apart(tmp_path):
    columns = {"left": cells(image, 2), "right": cells(image, 2), "label": ["yes", "no"]}
    parquet.write_table(table(columns), tmp_path / "d.parquet")
    with pytest.raises(DataError, match="several could be: left, right"):
        opened(tmp_path, "image", "label")
    assert len(opened(tmp_path, "image", "label", image_col="right").samples) == 2


def test_paths_without_bytes_are_relative_to_the_table(tmp_path, picture):
    picture(tmp_path / "imgs/a.png"), picture(tmp_path / "more/imgs/b.png")
    names = [{"bytes": None, "path": "imgs/a.png"}, {"bytes": None, "path": "imgs/b.png"}, None]
    columns = {"image": arrow.array(names, MEDIA), "score": [1.5, 2.5, 3.5]}
    parquet.write_table(table(columns), tmp_path / "d.parquet")
    found = opened(tmp_path, "image", "value")
    assert [sample.fields["value"] for sample in found.samples] == [1.5]
    assert [issue.kind for issue in found.issues] == ["missing", "missing"]
    assert found.samples[0].fields["image"] == str(tmp_path / "imgs/a.png")


@pytest.mark.parametrize("feature", [{"feature": CLASSES, "_type": "List"}, [CLASSES], {"feature": CLASSES}])
def test_lists_of_numbered_labels_have_names(tmp_path, feature):
    columns = {"image": cells(image, 4), "labels": [[0], [1, 0], [], [1]]}
    parquet.write_table(table(columns, {"image": {"_type": "Image"}, "labels": feature}), tmp_path / "d.parquet")
    found = opened(tmp_path, "image", "labels")
    assert [sample.fields["labels"] for sample in found.samples] == [["cat"], ["dog", "cat"], [], ["dog"]]


@pytest.mark.parametrize("form", ["stream", "file"])
def test_arrow_files(tmp_path, form):
    made = table({"image": cells(image, 4), "label": [0, 1, 0, 1]}, {"image": {"_type": "Image"}, "label": CLASSES})
    opener = arrow.ipc.new_stream if form == "stream" else arrow.ipc.new_file
    with arrow.OSFile(str(tmp_path / "data.arrow"), "wb") as file, opener(file, made.schema) as writer:
        writer.write_table(made)
    found = opened(tmp_path, "image", "label")
    assert [sample.fields["label"] for sample in found.samples] == ["cat", "dog", "cat", "dog"]
    (tmp_path / "data.arrow").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="must be Arrow"):
        opened(tmp_path, "image", "label")


def test_what_is_nested_in_parquet_is_refused_in_words(tmp_path):
    things = [{"bbox": [[1.0, 1.0, 4.0, 4.0]], "category": [0]}] * 3
    parquet.write_table(table({"image": cells(image, 3), "objects": things}), tmp_path / "train.parquet")
    with pytest.raises(DataError, match="do not give what this task needs: image, size") as caught:
        opened(tmp_path, "image", "size")
    assert "Write the images as files" in caught.value.hint


def test_what_is_nested_is_read_where_boxes_are_asked_for(tmp_path, cache):
    """Lists keep their places, also where a class is hidden or has no name."""
    kinds = {"_type": "ClassLabel", "names": ["mask", "glove"]}
    things = [{"bbox": [[1.0, 1.0, 4.0, 4.0]] * 3, "category": [1, -1, 5]}] * 2
    found = table({"image": cells(image, 2), "objects": things}, {"objects": {"bbox": {}, "category": [kinds]}})
    parquet.write_table(found, tmp_path / "d.parquet")
    read = read_table(str(tmp_path / "d.parquet"), needs=("image", "boxes"))
    told = json.loads(read.rows[0][read.columns.index("objects")])
    assert told == {"bbox": [[1.0, 1.0, 4.0, 4.0]] * 3, "category": ["glove", -1, 5]}
    assert "objects" not in read_table(str(tmp_path / "d.parquet"), needs=("image", "label")).columns


def test_numbers_that_are_asked_for_stay_numbers(tmp_path, cache):
    stars = {"names": ["1 star", "2 stars"], "_type": "ClassLabel"}
    columns = {"text": ["well made", "not well made"], "image": cells(image, 2), "label": [1, 0]}
    parquet.write_table(table(columns, {"label": stars}), tmp_path / "d.parquet")
    found = opened(tmp_path, "text", "value")
    assert [sample.fields["value"] for sample in found.samples] == [1.0, 0.0]
    assert not list(cache.iterdir()), "images that nobody asks for are not unpacked"
    assert {s.fields["label"] for s in opened(tmp_path, "text", "label").samples} == {"1 star", "2 stars"}


@pytest.mark.parametrize("metadata", [b"no JSON", b"[]", b'{"info": 3}', b'{"info": {"features": ["x"]}}'])
def test_strange_metadata_say_nothing(tmp_path, metadata):
    made = arrow.table({"text": ["a", "b"], "label": [0, 1]}).replace_schema_metadata({"huggingface": metadata})
    parquet.write_table(made, tmp_path / "d.parquet")
    assert read_table(str(tmp_path / "d.parquet"), needs=("text", "label")).rows == (("a", "0"), ("b", "1"))
