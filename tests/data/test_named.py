"""Files that a table names are found where they are, and never guessed among several."""

from __future__ import annotations

import unicodedata
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.data.named import Files
from autoft.data.table import TableReader
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.records import ReadOptions
from autoft.registry import load

NEEDS = ReadOptions(needs=("audio", "label"))


@pytest.fixture
def data(tmp_path):
    """Empty recordings with these names, and a table with this text; gives back the folder."""

    def write(names: list[str], table: str, at: str = "all.csv"):
        for name in [*names, at]:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        (tmp_path / at).write_text(table)
        return tmp_path

    return write


def read(source):
    assert TableReader().sniff(str(source), NEEDS)
    return TableReader().read(str(source), NEEDS)


def found(dataset, root):
    return [sample.fields["audio"].removeprefix(f"{root}/") for sample in dataset.samples]


@pytest.mark.parametrize("cell", ["a.wav", "a", "clips/a.wav", "/srv/data/clips/a.wav", r"C:\data\clips\a.wav"])
def test_names_without_folders_or_suffixes_and_paths_of_other_machines(data, cell):
    root = data(["clips/a.wav", "clips/b.wav"], f"path,label\n{cell},x\nclips/b.wav,y\n")
    dataset = read(root)
    assert found(dataset, root) == ["clips/a.wav", "clips/b.wav"]
    assert ("found by their names in clips/" in dataset.recognised) == (cell != "clips/a.wav")


def test_a_column_of_names_without_suffixes_is_one_of_paths(data):
    root = data(["clips/7.wav", "clips/8.wav"], "id,label\n7,x\n8,y\n")
    assert found(read(root), root) == ["clips/7.wav", "clips/8.wav"]


def test_a_first_line_that_names_a_file_is_a_row(data):
    root = data(["wavs/a1.wav", "wavs/a2.wav"], "a1|x\na2|y\n")
    assert found(read(root), root) == ["wavs/a1.wav", "wavs/a2.wav"]
    assert "no line of names" in read(root).recognised


def test_a_table_in_a_folder_of_its_own_names_files_beside_the_folder(data):
    root = data(
        ["audio/1-A.wav", "audio/2-A.wav"], "filename,fold,category\n1-A.wav,1,x\n2-A.wav,2,y\n", "meta/all.csv"
    )
    assert found(read(root), root) == found(read(root / "meta" / "all.csv"), root) == ["audio/1-A.wav", "audio/2-A.wav"]


def test_among_several_the_folders_and_the_part_decide(data):
    names = ["train/1.wav", "test/1.wav", "x/y/2.wav", "z/y/2.wav"]
    root = data(names, "path,split,label\n1.wav,test,x\n1.wav,train,y\nx/y/2.wav,train,y\nq/x/y/2.wav,train,x\n")
    assert found(read(root), root) == ["test/1.wav", "train/1.wav", "x/y/2.wav", "x/y/2.wav"]


def test_one_of_several_is_never_guessed(data):
    root = data(["p/1.wav", "q/1.wav", "q/2.wav"], "path,label\n1.wav,x\n2.wav,y\n")
    dataset = read(root)
    assert found(dataset, root) == ["q/2.wav"]
    (issue,) = [issue for issue in dataset.issues if issue.drops]
    assert issue.detail == "2 files have this name, such as p/1.wav and q/1.wav"


def test_files_above_the_data_are_not_looked_for(tmp_path):
    (tmp_path / "a.wav").touch()
    (tmp_path / "inner").mkdir()
    assert Files(str(tmp_path / "inner" / "t.csv"), str(tmp_path / "inner"), "audio").find("a.wav").path == ""


def test_pieces_of_longer_recordings_have_their_times(data):
    root = data(["a.wav"], "path,start,end,label\na.wav,0,1,x\na.wav,1,2,y\na.wav,2,2,y\n")
    dataset = read(root)
    assert [sample.fields["piece"] for sample in dataset.samples] == [(0, 1), (1, 2)]
    assert [issue.kind for issue in dataset.issues] == ["no_piece"]


def test_times_of_whole_files_are_no_pieces(data):
    root = data(["a.wav", "b.wav"], "path,start,end,label\na.wav,0,1,x\nb.wav,1,2,y\n")
    assert len(read(root).samples) == 2


@pytest.mark.parametrize(
    ("table", "reader"),
    [
        ("path,label\nann/1.wav,x\nbob/1.wav,y\nann/2.wav,x\nbob/2.wav,y\n", "table"),
        (
            "path,label,set\nann/1.wav,ann,train\nbob/1.wav,bob,test\nann/2.wav,ann,test\nbob/2.wav,bob,val\n",
            "table",
        ),
        ("path,label\nann/1.wav,ann\nbob/1.wav,bob\nann/2.wav,ann\nbob/2.wav,bob\n", "folder"),
        ("path,length\nann/1.wav,1\nbob/1.wav,2\nann/2.wav,2\nbob/2.wav,2\n", "folder"),
        ("path,label\nann/1.wav,x\nbob/1.wav,y\n", "folder"),
        ("path,kind\nann/1.wav,x\nbob/1.wav,y\nann/2.wav,x\nbob/2.wav,y\n", "folder"),
    ],
)
def test_a_table_beside_folders_is_read_where_it_says_more(data, table, reader):
    task = SimpleNamespace(inputs=("audio",), targets=("label",))
    root = data(["ann/1.wav", "ann/2.wav", "bob/1.wav", "bob/2.wav"], table)
    assert readers.open_dataset(load(), DataOptions(data=str(root)), task).reader == reader


def test_a_table_above_folders_is_read_where_it_says_more(data):
    task = SimpleNamespace(inputs=("audio",), targets=("label",))
    names = [f"clips/{who}/{n}.wav" for who in ("ann", "bob") for n in (1, 2)]
    root = data(names, "path,label\n" + "".join(f"{name},{name[-5]}\n" for name in names))
    assert readers.open_dataset(load(), DataOptions(data=str(root)), task).reader == "table"


@pytest.mark.parametrize(("kinds", "reader"), [("xyxy", "table"), ("1212", "folder")])
def test_folders_that_differ_in_numbers_say_less_than_words_in_a_table(data, kinds, reader):
    task = SimpleNamespace(inputs=("audio",), targets=("label",))
    names = [f"batch_{n % 2}/{n}.wav" for n in range(4)]
    root = data(names, "path,kind\n" + "".join(f"{name},{kind}\n" for name, kind in zip(names, kinds, strict=True)))
    assert readers.open_dataset(load(), DataOptions(data=str(root)), task).reader == reader


@pytest.mark.parametrize("table", ["trainLabels.csv", "train.csv", "train_labels.csv"])
def test_a_lone_table_means_the_folder_it_is_called_after(data, table):
    names = [f"{part}/{n}.wav" for part in ("train", "test") for n in range(12)]
    root = data(names, "id,label\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in range(12)), table)
    dataset = read(root)
    assert found(dataset, root) == [f"train/{n}.wav" for n in range(12)]
    assert {sample.split for sample in dataset.samples} == {""}
    assert found(read(root / table), root) == [f"train/{n}.wav" for n in range(12)]


def test_a_name_that_several_files_have_is_called_so(data):
    root = data(["train/1.wav", "test/1.wav"], "path,label\n1.wav,x\n1.wav,y\n", "labels.csv")
    task = SimpleNamespace(inputs=("audio",), targets=("label",))
    with pytest.raises(DataError, match="2 names that several files have") as caught:
        readers.open_dataset(load(), DataOptions(data=str(root)), task)
    assert "such as test/1.wav and train/1.wav" in str(caught.value)
    assert "train/1.png" in caught.value.hint


def test_numbers_name_files_that_are_filled_up_with_zeros(data):
    root = data(["clips/000007.wav", "clips/000010.wav"], "id,label\n7,x\n10,y\n")
    assert found(read(root), root) == ["clips/000007.wav", "clips/000010.wav"]
    (root / "clips/07.wav").touch()
    assert [issue.kind for issue in read(root).issues] == ["several_files"]


@pytest.mark.parametrize("forms", [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_are_the_same_in_either_form(data, forms):
    here, there = (unicodedata.normalize(form, "caf\u00e9") for form in forms)
    root = data([f"clips/{here}.wav", "clips/b.wav"], f"path,label\n{there}.wav,x\nb.wav,y\n")
    assert found(read(root), root) == [f"clips/{here}.wav", "clips/b.wav"]


def test_signs_that_a_web_page_escapes_are_read(data):
    root = data(["Clips/Ton 1 ä.WAV", "Clips/100%41.wav"], "path,label\nclips/Ton%201%20%C3%A4.wav,x\n100%41.wav,y\n")
    assert found(read(root), root) == ["Clips/Ton 1 ä.WAV", "Clips/100%41.wav"], "a name as it is goes first"


def test_a_count_of_the_rows_names_no_files(data):
    rows = "".join(f"{n},words of a text,{'xy'[n % 2]}\n" for n in range(6))
    root = data([f"clips/{n:03d}.wav" for n in range(6)], ",text,label\n" + rows)
    with pytest.raises(DataError, match="must be the audio, but none looks like it"):
        read(root / "all.csv")
    (root / "all.csv").write_text("number,text,label\n" + rows)
    assert len(read(root / "all.csv").samples) == 6
