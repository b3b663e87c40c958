"""Tables whose files lie elsewhere than they say, and tables in several places."""

from __future__ import annotations

import pytest

from autoft.data.readers import open_dataset
from autoft.data.table import TableReader
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.records import ReadOptions
from autoft.registry import installed

LABEL = ReadOptions(needs=("image", "label"))


@pytest.fixture
def files(tmp_path, picture):
    """Write pictures and texts below a folder."""

    def write(pictures, texts) -> str:
        for seed, name in enumerate(pictures):
            picture(tmp_path / name, seed=seed)
        for name, text in texts.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return str(tmp_path)

    return write


def read(source: str, options: ReadOptions = LABEL):
    assert TableReader().sniff(source, options)
    return TableReader().read(source, options)


def told(dataset, source: str) -> list[tuple[str, object, str]]:
    return [(s.fields["image"].removeprefix(f"{source}/"), s.fields.get("label"), s.split) for s in dataset.samples]


@pytest.mark.parametrize(
    "cell", ["{}.png", "{}", "/mnt/other/set/{}.png", "C:\\set\\{}.png", "https://h.org/{}.png?w=2", "{}.jpeg"]
)
def test_a_file_is_found_by_its_name_and_it_is_said(files, cell):
    lines = "".join(f"{cell.format(name)},{label}\n" for name, label in (("a1", "x"), ("b2", "y")))
    source = files(["photos/a1.png", "photos/b2.png"], {"labels.csv": f"image_id,kind\n{lines}"})
    dataset = read(source)
    assert told(dataset, source) == [("photos/a1.png", "x", ""), ("photos/b2.png", "y", "")]
    assert "(2 files found by their names in photos/)" in dataset.recognised and not dataset.issues


def test_numbers_that_repeat_are_classes_and_no_file_names(files):
    lines = "".join(f"{i},{i % 2}\n" for i in range(6))
    source = files([f"train/{i}.png" for i in range(6)], {"train.csv": f"id,label\n{lines}"})
    assert told(read(source), source)[:2] == [("train/0.png", "0", ""), ("train/1.png", "1", "")]


def test_of_files_with_one_name_the_folders_and_the_part_decide(files):
    text = "image,label,split\n/x/s1/a.png,p,train\n/x/s2/a.png,q,val\nb.png,p,val\nc.png,q,train\n"
    names = ["all/s1/a.png", "all/s2/a.png", "train/b.png", "val/b.png", "all/s1/c.png", "all/s2/c.png"]
    source = files(names, {"labels.csv": text})
    dataset = read(source)
    assert told(dataset, source) == [
        ("all/s1/a.png", "p", "train"), ("all/s2/a.png", "q", "val"), ("val/b.png", "p", "val"),
    ]  # fmt: skip
    (missing,) = [issue for issue in dataset.issues if issue.drops]
    assert missing.kind == "several_files"
    assert missing.detail == "2 files have this name, such as all/s1/c.png and all/s2/c.png"


def test_what_is_missing_from_a_folder_that_is_there_is_not_looked_for_elsewhere(files):
    names = ["imgs/a.png", "small/a.png", "small/b.png"]
    dataset = read(files(names, {"labels.csv": "image,label\nimgs/a.png,x\nimgs/b.png,y\n"}))
    assert [sample.id for sample in dataset.samples] == ["imgs/a.png"]


def test_a_table_in_a_folder_of_tables_names_files_beside_that_folder(files):
    source = files(["imgs/a.png"], {"labels/all.csv": "image,label\nimgs/a.png,x\n"})
    assert told(read(f"{source}/labels/all.csv"), source) == [("imgs/a.png", "x", "")]


def test_each_part_has_its_table_in_its_folder(files):
    names = [f"{part}/{i}.png" for part in ("train", "valid", "test") for i in "ab"]
    text = "filename,cat,dog\na.png,1,0\nb.png,1,1\n"
    source = files(names, {f"{part}/_classes.csv": text for part in ("train", "valid", "test")})
    dataset = read(source, ReadOptions(needs=("image", "labels")))
    assert [(sample.id, sample.split) for sample in dataset.samples] == [
        ("test/_classes.csv:a.png", "test"), ("test/_classes.csv:b.png", "test"),
        ("train/_classes.csv:a.png", "train"), ("train/_classes.csv:b.png", "train"),
        ("valid/_classes.csv:a.png", "val"), ("valid/_classes.csv:b.png", "val"),
    ]  # fmt: skip


def test_tables_are_parts_by_a_word_in_their_names(files):
    text = "image,label\n{0}/a.png,x\n{0}/b.png,y\n"
    names = [f"{part}/{i}.png" for part in ("train", "test") for i in "ab"]
    source = files(names, {f"{part}_labels.csv": text.format(part) for part in ("train", "test")})
    assert [split for _, _, split in told(read(source), source)] == ["test", "test", "train", "train"]


def test_tables_of_a_contest_leave_out_what_nobody_has_labelled(files):
    texts = {
        "train.csv": "image,size,label\na.png,1,x\nb.png,2,y\n",
        "test.csv": "image,size\nc.png,3\n",
        "sample_submission.csv": "image,label\nc.png,x\n",
    }
    source = files(["train/a.png", "train/b.png", "test/c.png"], texts)
    dataset = read(source, ReadOptions(needs=("image", "label")))
    assert told(dataset, source) == [("train/a.png", "x", "train"), ("train/b.png", "y", "train")]
    assert "test.csv, CSV (comma, utf-8), 1 rows: it has no column 'label' and is left out" in dataset.recognised
    assert dataset.recognised.endswith("; not read: sample_submission.csv")


def test_several_tables_that_are_no_parts_are_named(files):
    source = files(["a.png"], {"one.csv": "image,label\na.png,x\n", "two.csv": "image,label\na.png,x\n"})
    registry = installed()
    with pytest.raises(DataError, match=r"it holds several: one\.csv, two\.csv"):
        open_dataset(registry, DataOptions(data=source), registry.get("task", "image-cls"))


def test_the_largest_of_several_tables_is_suggested(files):
    boxes, entries = "Image Index,x\na.png,1\n", "Image Index,Finding Labels\n" + "a.png,Mass|Edema\n" * 9
    source = files(["images_001/images/a.png"], {"BBox_List.csv": boxes, "Data_Entry.csv": entries})
    registry = installed()
    with pytest.raises(DataError) as caught:
        open_dataset(registry, DataOptions(data=source), registry.get("task", "image-cls"))
    assert caught.value.hint.splitlines()[0].endswith("label, such as " + source + "/Data_Entry.csv")


def test_a_table_of_pixels_is_not_taken(files):
    pixels = ",".join(f"pixel{n}" for n in range(784)) + ",label\n" + "0," * 784 + "1\n"
    source = files(
        ["images_001/images/a.png"], {"hmnist_28_28_L.csv": pixels * 9, "metadata.csv": "image_id,dx\na,nv\n"}
    )
    registry = installed()
    found = open_dataset(registry, DataOptions(data=source), registry.get("task", "image-cls"))
    assert [sample.id for sample in found.samples] == ["a"]
    assert found.recognised.endswith("not read: hmnist_28_28_L.csv")


ADDRESS = "https://images.example.com/M/{}@._V1_SX300.jpg"


def test_a_column_that_names_files_wins_over_one_of_addresses(files):
    rows = "".join(f"{n + 7},{ADDRESS.format(n)},{'xy'[n % 2]}\n" for n in range(12))
    source = files([f"posters/{n + 7}.jpg" for n in range(12)], {"movies.csv": f"imdbId,Poster,label\n{rows}"})
    dataset = read(source, ReadOptions(needs=("image", "label")))
    assert "image in column 'imdbId'" in dataset.recognised and len(dataset.samples) == 12


def test_addresses_whose_files_are_at_hand_are_read_as_before(files):
    rows = "".join(f"{n + 7},https://images.example.com/{n + 7}.jpg,{'xy'[n % 2]}\n" for n in range(12))
    source = files([f"posters/{n + 7}.jpg" for n in range(12)], {"movies.csv": f"imdbId,Poster,label\n{rows}"})
    assert "image in column 'Poster'" in read(source, ReadOptions(needs=("image", "label"))).recognised


def test_addresses_alone_lead_nowhere_and_the_option_is_named(files):
    rows = "".join(f"m{n},{ADDRESS.format(n)},{'xy'[n % 2]}\n" for n in range(12))
    source = files(["posters/other.jpg"], {"movies.csv": f"imdbId,Poster,label\n{rows}"})
    registry = installed()
    with pytest.raises(DataError) as caught:
        open_dataset(registry, DataOptions(data=source), registry.get("task", "image-cls"))
    assert "If another column names them: --image-col COLUMN" in caught.value.hint
