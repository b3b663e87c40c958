"""Several labels per row: columns of yes and no, or a column of lists whose separator is found out and said."""

from __future__ import annotations

import msgspec
import pytest

from autoft.data import labellists
from autoft.data.readers import open_dataset
from autoft.data.table import TableReader
from autoft.errors import DataError, UsageError
from autoft.options import DataOptions
from autoft.records import ReadOptions

NEEDS = ReadOptions(needs=("image", "labels"))


@pytest.fixture
def table(tmp_path, picture):
    """Write images a.png to d.png and a table with this text beside them."""

    def write(text: str, name: str = "tags.csv") -> str:
        for i, stem in enumerate("abcd"):
            picture(tmp_path / f"{stem}.png", seed=i)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def read(source: str, options: ReadOptions = NEEDS):
    assert TableReader().sniff(source, options)
    return TableReader().read(source, options)


def found(dataset) -> list[list[str]]:
    return [sample.fields["labels"] for sample in dataset.samples]


def test_columns_of_yes_and_no(table):
    text = "image,cat,dog,bird,weight\na.png,1,0,,3.5\nb.png,yes,No,TRUE,2\nc.png,0,false,0.0,1\n"
    dataset = read(table(text))
    assert found(dataset) == [["cat"], ["cat", "bird"], []]
    assert dataset.recognised.endswith("labels in 3 columns of yes and no (cat, dog, bird)")
    assert [(i.kind, i.subject, i.drops) for i in dataset.issues] == [("absent_label", "dog", False)]


def test_a_cross_is_yes_where_other_cells_are_empty(table):
    text = "image,cat,dog,bird,note\na.png,x,,x,x\nb.png,X,x,,y\nc.png,,,,z\n"
    dataset = read(table(text))
    assert found(dataset) == [["cat", "bird"], ["cat", "dog"], []], "rows with a cross were left out before"
    assert dataset.recognised.endswith("labels in 3 columns of yes and no (cat, dog, bird, 'x' is yes)")
    named = msgspec.structs.replace(NEEDS, columns={"labels": "cat,dog"})
    assert found(read(table("image,cat,dog\na.png,x,x\nb.png,x,\n"), named)) == [["cat", "dog"], ["cat"]]
    with pytest.raises(DataError, match="several could be: cat, dog"):
        read(table("image,cat,dog\na.png,x,o\nb.png,,x\n"))


def test_minus_one_is_no_where_there_is_no_zero(table):
    dataset = read(table("image,cat,dog\na.png,1,-1\nb.png,-1,1\n"))
    assert found(dataset) == [["cat"], ["dog"]] and dataset.recognised.endswith("(cat, dog, -1 is no)")
    with pytest.raises(DataError, match="several could be: cat, dog"):
        read(table("image,cat,dog\na.png,1,-1\nb.png,-1,0\n"))


@pytest.mark.parametrize(
    ("cells", "wanted", "said"),
    [
        (
            ("cat|dog, big", "dog, big"),
            [["cat", "dog, big"], ["dog, big"]],
            "separated by bars (no separators: commas in 2 cells)",
        ),
        (("cat; dog", "dog;"), [["cat", "dog"], ["dog"]], "separated by semicolons"),
        (("cat, dog,cat", ""), [["cat", "dog"], []], "separated by commas"),
        (("polar bear", "brown bear"), [["polar bear"], ["brown bear"]], "one in each cell"),
        (("a b", "b", "a", "b c", "c"), [["a", "b"], ["b"], ["a"], ["b", "c"], ["c"]], "separated by spaces"),
        (("['cat', 'big dog']", "[]"), [["cat", "big dog"], []], "lists in brackets"),
        (('["cat"]', "[cat, dog]"), [["cat"], ["cat", "dog"]], "lists in brackets"),
    ],
)
def test_lists_and_their_separators(table, cells, wanted, said):
    quoted = [cell.replace('"', '""') for cell in cells]
    text = "\n".join(f'{"abcd"[n % 4]}.png,"{cell}"' for n, cell in enumerate(quoted))
    dataset = read(table(f"image,tags\n{text}\n"))
    assert found(dataset) == wanted
    assert dataset.recognised.endswith(f"labels in column 'tags', {said}")


def test_a_space_counts_only_where_it_leaves_fewer_words_than_cells():
    assert labellists.separator(["a b", "c d"]) == ""
    assert labellists.separator(["a b", "a", "b", "b a"]) == " "
    assert labellists.separator([]) == labellists.separator(["", "x"]) == ""


def test_parts_in_several_files_share_one_separator(table, tmp_path):
    table("image,tags\na.png,x y\nb.png,y\nc.png,x\nd.png,y x\n", "train.csv")
    table("image,tags\nd.png,x y\n", "test.csv")
    dataset = read(str(tmp_path))
    assert [(s.split, s.fields["labels"]) for s in dataset.samples if s.split == "test"] == [("test", ["x", "y"])]


def test_named_columns(table):
    source = table("image,one,two,three\na.png,1,0,1\nb.png,0,1,0\n")
    several = ReadOptions(needs=NEEDS.needs, columns={"labels": "one, three"})
    assert found(read(source, several)) == [["one", "three"], []]
    single = ReadOptions(needs=NEEDS.needs, columns={"labels": "two"})
    assert found(read(source, single)) == [[], ["two"]]
    with pytest.raises(UsageError, match="Did you mean 'three'"):
        read(source, ReadOptions(needs=NEEDS.needs, columns={"labels": "one,tree"}))


def test_a_cell_that_is_neither_is_named(table):
    options = ReadOptions(needs=NEEDS.needs, columns={"labels": "cat,dog"})
    dataset = read(table("image,cat,dog\na.png,1,0\nb.png,maybe,1\n"), options)
    assert found(dataset) == [["cat"]]
    (issue,) = [issue for issue in dataset.issues if issue.drops]
    assert (issue.kind, issue.subject) == ("no_flag", "tags.csv line 3")
    assert issue.detail == "'maybe' in column 'cat' is neither yes nor no"


def test_what_could_be_several_things_is_refused(table):
    with pytest.raises(DataError, match="must be the labels, but several could be: size, kind") as caught:
        read(table("image,size,kind\na.png,3,x\nb.png,4,y\n"))
    assert "--target COLUMN,COLUMN" in caught.value.hint


def test_labels_may_be_absent_when_predicting(table):
    options = ReadOptions(needs=NEEDS.needs, optional=("labels",))
    assert [set(s.fields) for s in read(table("image\na.png\n"), options).samples] == [{"image"}]
    named = ReadOptions(needs=NEEDS.needs, columns={"labels": "cat"}, optional=("labels",))
    dataset = read(table("image,cat\na.png,1\nb.png,0\n"), named)
    assert found(dataset) == [["cat"], []]


def test_alike_and_lone_labels_are_told(table):
    class Task:
        inputs, targets = ("image",), ("labels",)

    from autoft import registry

    options = DataOptions(data=table("image,tags\na.png,Cat|dog\nb.png,cat|dog\nc.png,\n"))
    dataset = open_dataset(registry.installed(), options, Task())
    told = {(issue.kind, issue.subject) for issue in dataset.issues}
    assert told == {("small_class", "Cat"), ("small_class", "cat"), ("alike_classes", "cat")}


def findings(*uncertain: str) -> str:
    """40 rows of three findings; each tenth cell of these columns is -1."""
    lines = ["image,Cardiomegaly,Edema,Effusion"]
    for n in range(40):
        cells = [("1.0", "0.0", "")[(n + k) % 3] for k in range(3)]
        cells = [
            "-1.0" if name in uncertain and n % 10 == 0 else cell
            for name, cell in zip(lines[0].split(",")[1:], cells, strict=True)
        ]
        lines.append(",".join([f"{'abcd'[n % 4]}.png", *cells]))
    return "\n".join(lines) + "\n"


def test_uncertain_columns_are_not_taken_unasked_but_named(table):
    dataset = read(table(findings("Edema")))
    assert (
        "labels in 2 columns of yes and no (Cardiomegaly, Effusion); not taken: 'Edema', which say"
        in dataset.recognised
    )
    assert "(named in --target as well, -1 is no)" in dataset.recognised and len(dataset.samples) == 40


def test_uncertain_cells_of_columns_that_are_named_count_as_no(table):
    wanted = ReadOptions(needs=("image", "labels"), columns={"labels": "Cardiomegaly,Edema,Effusion"})
    dataset = read(table(findings("Edema", "Effusion")), wanted)
    assert len(dataset.samples) == 40 and not [issue for issue in dataset.issues if issue.drops]
    assert found(dataset)[0] == ["Cardiomegaly"] and "Edema" not in found(dataset)[10]
    assert "; -1 beside 0 and 1 counts as no: 8 cells in 'Edema', 'Effusion'" in dataset.recognised
    lone = ReadOptions(needs=("image", "labels"), columns={"labels": "Edema"})
    assert {tuple(labels) for labels in found(read(table(findings("Edema")), lone))} == {(), ("Edema",)}


def test_a_few_uncertain_cells_leave_no_rows_out(table):
    text = findings().replace("a.png,1.0,0.0", "a.png,-1,0.0", 1)
    dataset = read(table(text))
    assert len(dataset.samples) == 40 and "counts as no: 1 cell in 'Cardiomegaly'" in dataset.recognised
