"""CSV, TSV and Parquet: columns named or guessed, paths relative to the file, bad rows reported."""

from __future__ import annotations

import builtins
import importlib.util

import pytest

from autoft.data.table import TableReader
from autoft.data.tabular import read_table
from autoft.errors import DataError, UsageError
from autoft.records import ReadOptions

NEEDS = ReadOptions(needs=("image", "label"))


@pytest.fixture
def table(tmp_path, picture):
    """Write images a.png to d.png and a table with this text beside them."""

    def write(text: str, name: str = "labels.csv", encoding: str = "utf-8") -> str:
        for i, stem in enumerate("abcd"):
            picture(tmp_path / "imgs" / f"{stem}.png", seed=i)
        (tmp_path / name).write_bytes(text.encode(encoding))
        return str(tmp_path / name)

    return write


def read(source: str, options: ReadOptions = NEEDS):
    assert TableReader().sniff(source, options)
    return TableReader().read(source, options)


def pairs(dataset) -> list[tuple[str, object]]:
    return [(sample.id, sample.fields.get("label")) for sample in dataset.samples]


def test_guesses_are_said_aloud(table, tmp_path):
    dataset = read(table("file,kind\nimgs/a.png,x\nimgs/b.png,y\n"))
    assert pairs(dataset) == [("imgs/a.png", "x"), ("imgs/b.png", "y")]
    assert dataset.samples[0].fields["image"] == str(tmp_path / "imgs" / "a.png")
    assert dataset.recognised == (
        "labels.csv, CSV (comma, utf-8), 2 rows: image in column 'file', label in column 'kind'"
    )


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_delimiters_and_encodings(table, delimiter, encoding):
    lines = [("path", "label", "note"), ("imgs/a.png", "größe", "a, b; c | d"), ("imgs/b.png", "klein", "")]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    dataset = read(table(text, encoding=encoding))
    assert pairs(dataset) == [("imgs/a.png", "größe"), ("imgs/b.png", "klein")]
    assert encoding in dataset.recognised


def test_tsv_by_suffix_in_a_folder(table, tmp_path):
    table("path\tlabel\nimgs/a.png\tx\n", name="labels.tsv")
    assert pairs(read(str(tmp_path))) == [("imgs/a.png", "x")]


def test_usual_label_names_win_over_other_columns(table):
    dataset = read(table("id,image,weight,label\n1,imgs/a.png,3.5,x\n2,imgs/b.png,1.0,y\n"))
    assert pairs(dataset) == [("imgs/a.png", "x"), ("imgs/b.png", "y")]


def test_named_columns(table):
    options = ReadOptions(needs=("image", "label"), columns={"image": "Second", "label": "sort"})
    dataset = read(table("first,second,sort,label\nimgs/a.png,imgs/b.png,x,no\n"), options)
    assert pairs(dataset) == [("imgs/b.png", "x")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one,two,kind\nimgs/a.png,imgs/b.png,x\n", "must be the image, but several could be: one, two"),
        ("image,size,kind\nimgs/a.png,3,x\n", "must be the label, but several could be: size, kind"),
        ("number,label\n1,x\n", "must be the image, but none looks like it"),
        ("image\nimgs/a.png\n", "must be the label, but none looks like it"),
        ("image,label\n", "must have rows"),
        ("", "must have rows"),
    ],
)
def test_what_cannot_be_told(table, text, words):
    with pytest.raises(DataError, match=words):
        read(table(text))


@pytest.mark.parametrize("options", [{"columns": {"label": "lable"}}, {"group_col": "lable"}])
def test_misspelt_column(table, options):
    with pytest.raises(UsageError, match=r"got 'lable'\. Did you mean 'label'"):
        read(table("image,label\nimgs/a.png,x\n"), ReadOptions(needs=("image", "label"), **options))


def test_bad_rows_become_issues(table):
    dataset = read(
        table(
            "image,label\n"
            "imgs/a.png,x\n"
            "imgs/none.png,x\n"
            "imgs/b.png,\n"
            "\n"
            ",y\n"
            "https://example.org/e.png,y\n"
            "imgs/c.png,y,surplus\n"
            "imgs/d.png\n"
        )
    )
    assert pairs(dataset) == [("imgs/a.png", "x")]
    assert [(i.kind, i.subject, i.drops) for i in dataset.issues] == [
        ("bad_row", "labels.csv line 8", True),
        ("missing", "labels.csv line 3: imgs/none.png", True),
        ("no_label", "labels.csv line 4", True),
        ("missing", "labels.csv line 6", True),
        ("missing", "labels.csv line 7: https://example.org/e.png", True),
        ("no_label", "labels.csv line 9", True),
    ]


def test_a_line_break_inside_quotes(table):
    dataset = read(table('image,note,label\nimgs/a.png,"two\nlines",x\nimgs/none.png,,y\n'))
    assert pairs(dataset) == [("imgs/a.png", "x")]
    assert dataset.issues[0].subject == "labels.csv line 4: imgs/none.png"


def test_backslashes_and_absolute_paths(table, tmp_path):
    dataset = read(table(f"image,label\nimgs\\a.png,x\n{tmp_path}/imgs/b.png,y\n"))
    assert [sample.fields["image"] for sample in dataset.samples] == [
        str(tmp_path / "imgs" / "a.png"),
        str(tmp_path / "imgs" / "b.png"),
    ]


def test_split_and_group_columns(table):
    text = "image,split,patient,label\nimgs/a.png,Training,p1,x\nimgs/b.png,valid,p2,y\nimgs/c.png,test,p3,x\n"
    dataset = read(table(text), ReadOptions(needs=("image", "label"), group_col="patient"))
    assert [(s.split, s.group) for s in dataset.samples] == [("train", "p1"), ("val", "p2"), ("test", "p3")]
    assert "split in 'split', groups in 'patient'" in dataset.recognised


def test_a_split_column_of_other_words_is_not_used(table):
    dataset = read(table("image,split,kind\nimgs/a.png,north,x\nimgs/b.png,south,y\n"))
    assert pairs(dataset) == [("imgs/a.png", "x"), ("imgs/b.png", "y")]
    assert all(sample.split == "" for sample in dataset.samples)
    assert "column 'split' is not used" in dataset.recognised


def test_one_table_for_each_split(table, tmp_path):
    table("image,label\nimgs/a.png,x\n", name="train.csv")
    table("image,label\nimgs/a.png,y\n", name="test.csv")
    dataset = read(str(tmp_path))
    assert [(s.id, s.split) for s in dataset.samples] == [
        ("test.csv:imgs/a.png", "test"),
        ("train.csv:imgs/a.png", "train"),
    ]


def test_a_file_named_twice_keeps_unique_ids(table):
    dataset = read(table("image,label\nimgs/a.png,x\nimgs/a.png,y\nimgs/a.png,z\n"))
    assert pairs(dataset) == [("imgs/a.png", "x"), ("imgs/a.png #2", "y"), ("imgs/a.png #3", "z")]


def test_labels_may_be_absent_for_prediction(table):
    options = ReadOptions(needs=("image", "label"), optional=("label",))
    assert pairs(read(table("image\nimgs/a.png\n"), options)) == [("imgs/a.png", None)]
    assert pairs(read(table("image,label\nimgs/a.png,\nimgs/b.png,x\n"), options))[1][1] == "x"


def test_numbers_as_targets(table):
    options = ReadOptions(needs=("image", "value"))
    dataset = read(table("image,count\nimgs/a.png,44\nimgs/b.png,many\nimgs/c.png,nan\n"), options)
    assert [sample.fields["value"] for sample in dataset.samples] == [44.0]
    assert [issue.kind for issue in dataset.issues] == ["no_number", "no_number"]


def test_parquet(table, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table("")
    columns = {"image": ["imgs/a.png", "imgs/b.png", "imgs/c.png"], "label": [3, 4, None]}
    parquet.write_table(arrow.table(columns), tmp_path / "data.parquet")
    dataset = read(str(tmp_path / "data.parquet"))
    assert pairs(dataset) == [("imgs/a.png", "3"), ("imgs/b.png", "4")]
    assert [(i.kind, i.subject) for i in dataset.issues] == [("no_label", "data.parquet line 3")]


def test_damaged_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "data.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    with pytest.raises(DataError, match="must be Parquet"):
        read_table(str(tmp_path / "data.parquet"))


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "data.parquet").write_bytes(b"PAR1")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "pyarrow" else find(name, *a))
    with pytest.raises(UsageError, match="needs pyarrow") as caught:
        read_table(str(tmp_path / "data.parquet"))
    assert "pip install" in caught.value.hint


def test_reading_csv_does_not_import_pandas(table, monkeypatch):
    real = builtins.__import__

    def guarded(name, *args, **kwargs):
        assert name.split(".")[0] not in {"pandas", "pyarrow", "datasets"}, name
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", guarded)
    assert len(read(table("image,label\nimgs/a.png,x\n")).samples) == 1


@pytest.mark.parametrize("target", [None, "cat,dog"])
def test_a_column_for_each_class_with_one_yes_in_a_row(table, target):
    text = "image,cat,dog\nimgs/a.png,1.0,0.0\nimgs/b.png,0.0,1.0\nimgs/c.png,0.0,1.0\n"
    options = ReadOptions(needs=("image", "label"), columns={"label": target} if target else {})
    dataset = read(table(text), options)
    assert pairs(dataset) == [("imgs/a.png", "cat"), ("imgs/b.png", "dog"), ("imgs/c.png", "dog")]
    assert "label in 2 columns of yes and no, one yes in a row" in dataset.recognised and not dataset.issues


@pytest.mark.parametrize(
    "text", ["image,cat,dog\nimgs/a.png,1,1\nimgs/b.png,0,1\n", "image,kind,wet,dry\nimgs/a.png,x,1,0\n"]
)
def test_columns_of_yes_and_no_that_are_no_classes_of_one_label(table, text):
    with pytest.raises(DataError, match="several could be"):
        read(table(text))
