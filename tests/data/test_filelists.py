"""Lists of files, a path and a class in each line."""

from __future__ import annotations

from collections import Counter

import pytest

from autoft.errors import DataError

FILES = [f"images/{n:02d}.png" for n in range(20)]
NAMES = ("cat", "dog", "great white shark")


@pytest.fixture
def lists(tmp_path, picture):
    """Write images and texts: `lists(files, {"train.txt": lines, ...})`; gives back the folder."""

    def write(files, texts):
        for seed, name in enumerate(files):
            picture(tmp_path / name, seed=seed)
        for name, lines in texts.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("\n".join(lines) + "\n")
        return tmp_path

    return write


def number(files, start=0):
    return [f"{name} {n % 3 + start}" for n, name in enumerate(files)]


def name(files):
    return [f"{path}\t{NAMES[n % 3]}" for n, path in enumerate(files)]


def counted(dataset):
    return Counter(sample.split for sample in dataset.samples)


def classes(dataset):
    return {sample.fields["label"] for sample in dataset.samples}


@pytest.mark.parametrize("form", ["{}.txt", "{}_list.txt", "meta/{}.txt"])
@pytest.mark.parametrize("lines", [number, name])
def test_the_names_of_lists_are_the_parts(lists, open_data, form, lines):
    parts = {"train": FILES[:10], "val": FILES[10:15], "test": FILES[15:]}
    data = lists(FILES, {form.format(part): lines(files) for part, files in parts.items()})
    found = open_data(data)
    assert found.reader == "lists" and not found.issues
    assert counted(found) == {"train": 10, "val": 5, "test": 5}
    assert classes(found) == ({"0", "1", "2"} if lines is number else {*NAMES})
    first = next(sample for sample in found.samples if sample.split == "train")
    assert first.id == FILES[0] and first.fields["image"] == str(data / FILES[0])


@pytest.mark.parametrize(
    ("file", "text", "start"),
    [
        ("classes.txt", NAMES, 0),
        ("classes.txt", NAMES, 1),
        ("labels.txt", [f"{n}: {word}" for n, word in enumerate(NAMES)], 0),
        ("meta/class_names.txt", [f"{n + 1} {word}" for n, word in enumerate(NAMES)], 1),
        ("label_names.txt", [f"{word},{n}" for n, word in enumerate(NAMES)], 0),
    ],
)
def test_a_file_names_the_numbers(lists, open_data, file, text, start):
    where = "meta/" if "/" in file else ""
    data = lists(
        FILES,
        {file: text, f"{where}train.txt": number(FILES[:12], start), f"{where}val.txt": number(FILES[12:], start)},
    )
    found = open_data(data)
    assert [sample.fields["label"] for sample in found.samples[:3]] == [*NAMES]
    assert f"{file.removeprefix('meta/')} names the classes" in found.recognised


def test_a_file_that_does_not_name_all_numbers_is_not_used(lists, open_data):
    found = open_data(lists(FILES, {"train.txt": number(FILES), "classes.txt": NAMES[:2]}))
    assert classes(found) == {"0", "1", "2"} and "classes.txt" not in found.recognised


def test_folders_of_training_name_the_numbers_of_flat_validation_images(lists, open_data):
    train = [f"train/n{n % 3}/a{n}.png" for n in range(12)]
    val = [f"val/b{n}.png" for n in range(6)]
    found = open_data(lists([*train, *val], {"train.txt": number(train), "val.txt": number(val)}))
    assert counted(found) == {"train": 12, "val": 6} and classes(found) == {"n0", "n1", "n2"}
    assert "their folders name the classes" in found.recognised


def test_files_are_found_by_name_and_missing_ones_are_told(lists, open_data):
    bare = [path.removeprefix("images/") for path in FILES]
    found = open_data(lists(FILES, {"train.txt": [*number(bare), "gone.png 1", "also gone.png 2"]}))
    assert len(found.samples) == 20 and "20 files found by their names in images/" in found.recognised
    assert [(issue.kind, issue.subject) for issue in found.issues] == [
        ("missing", "train.txt line 21: gone.png"),
        ("missing", "train.txt line 22: also gone.png"),
    ]


def test_a_list_without_classes_is_left_out_and_said(lists, open_data):
    found = open_data(lists(FILES, {"train.txt": number(FILES[:15]), "test.txt": FILES[15:]}))
    assert counted(found) == {"train": 15} and "test.txt has no classes and is left out" in found.recognised


def test_one_list_is_all_of_the_data(lists, open_data):
    data = lists(FILES, {"all.txt": number(FILES), "README.txt": ["some words", "and more"]})
    for source in (data, data / "all.txt"):
        assert counted(open_data(source)) == {"": 20}
    assert counted(open_data(data / "all.txt", test=str(data / "all.txt"))) == {"train": 20, "test": 20}


def test_one_list_beside_class_folders_is_not_read(lists, open_data):
    files = [f"{word}/{n}.png" for word in ("cat", "dog") for n in range(6)]
    found = open_data(lists(files, {"some.txt": [f"{path} {n % 2}" for n, path in enumerate(files)]}))
    assert found.reader == "folder" and classes(found) == {"cat", "dog"}


@pytest.mark.parametrize(
    "line",
    [
        "{} 0 1 0 1",  # several labels
        "{} 69.5 109.2",  # points
        "{} 0.25",
        "{} masks/{}",
        "{} word{n}",  # each is another
        "{} 3\t4",
        "{}",
    ],
)
def test_other_lists_are_not_taken_for_classes(lists, open_data, line):
    data = lists(FILES, {"train.txt": [line.format(path, path, n=n) for n, path in enumerate(FILES)]})
    with pytest.raises(DataError):
        open_data(data)


def test_a_list_of_paths_can_be_predicted(lists, open_data):
    data = lists(FILES, {"new.txt": FILES[5:9]})
    found = open_data(data / "new.txt", labelled=False)
    assert [(sample.id, [*sample.fields]) for sample in found.samples] == [(path, ["image"]) for path in FILES[5:9]]


def test_for_prediction_all_files_count(lists, open_data):
    found = open_data(lists(FILES, {"train.txt": number(FILES[:5])}), labelled=False)
    assert len(found.samples) == 20
