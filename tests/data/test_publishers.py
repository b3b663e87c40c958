"""Data sets as their publishers lay them out: what is read of several tables, of lists, of notes and of examples."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import delimited, labellists, onetable, readers
from autoft.data.pictures import Pictures
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load


@pytest.fixture
def opened(tmp_path, picture):
    """What is read of files with these contents and pictures of these names."""

    def read(files, pictures=(), needs=("image", "label"), **options):
        for seed, name in enumerate(pictures):
            picture(tmp_path / name, seed=seed)
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        task = SimpleNamespace(inputs=needs[:1], targets=needs[1:])
        return readers.open_dataset(load(), DataOptions(data=str(tmp_path), **options), task)

    return read


def counted(dataset):
    return Counter((sample.fields["label"], sample.split) for sample in dataset.samples)


def table(columns, rows):
    return "\n".join([columns, *rows]) + "\n"


# ---- several tables ------------------------------------------------------------------------------------------

SKIN = table("lesion_id,image_id,dx", [f"HAM_{n // 2},ISIC_{n:04},{'abc'[n % 3]}" for n in range(12)])
PHOTOS = [f"images_part_{n % 2}/ISIC_{n:04}.png" for n in range(12)]


def test_of_several_tables_the_only_one_about_the_files_is_taken(opened):
    boxes = table("image_id,x,y", ["ISIC_0001,3,4"])
    found = opened({"meta.csv": SKIN, "boxes.csv": boxes}, PHOTOS, target="dx")
    assert counted(found) == {("a", ""): 4, ("b", ""): 4, ("c", ""): 4}
    assert found.recognised.endswith("not read: boxes.csv")


def test_of_several_tables_about_the_files_the_one_with_the_columns_that_were_named_is_taken(opened):
    links = table("image_id,link", [f"ISIC_{n:04},x{n % 3}" for n in range(12)])
    found = opened({"meta.csv": SKIN, "links.csv": links}, PHOTOS, target="dx")
    assert found.columns["label"] == "dx" and len(found.samples) == 12
    with pytest.raises(DataError, match=r"must hold one table, but it holds several: links\.csv, meta\.csv"):
        opened({"meta.csv": SKIN, "links.csv": links}, PHOTOS)


def test_without_a_target_a_table_that_says_something_else_is_not_taken(opened, tmp_path):
    meta = table("image_id,sex,site", [f"ISIC_{n:04},{'mf'[n % 2]},skin" for n in range(12)])
    labels = table("image_id,diagnosis", [f"ISIC_{n:04},{'ab'[n % 2]}" for n in range(5)])
    files = {"metadata.csv": meta, "labels.csv": labels}
    with pytest.raises(DataError, match=r"holds several: labels\.csv, metadata\.csv"):
        opened(files, PHOTOS)
    assert opened({}, target="sex").columns["label"] == "sex" and len(opened({}, target="diagnosis").samples) == 5
    (tmp_path / "metadata.csv").write_text(meta.replace("sex", "label"))
    assert opened({}).columns["label"] == "label"


def test_no_table_is_opened_whole_where_that_tells_nothing(opened, monkeypatch):
    long = [f"text number {n},{n % 2}" for n in range(9)]
    files = {"one.csv": table("a,b", long), "two.csv": table("a,c", long)}
    opens = []
    monkeypatch.setattr(onetable, "read_table", lambda path, **_: opens.append(path))
    with pytest.raises(DataError, match="several"):
        opened(files, needs=("text", "label"))
    assert opened({}, needs=("text", "label"), target="c", text_col="a").columns["label"] == "c"
    assert not opens


def test_no_table_is_taken_where_another_names_further_files(opened):
    rows = SKIN.splitlines()
    files = {"set_a.csv": "\n".join(rows[:9]) + "\n", "set_b.csv": "\n".join(["x,image_id,y", *rows[9:]]) + "\n"}
    with pytest.raises(DataError, match=r"must hold one table, but it holds several: set_a\.csv, set_b\.csv"):
        opened(files, PHOTOS)


def test_tables_with_the_same_columns_are_told_so(opened):
    rows = [f"a headline number {n},topic{n % 2}" for n in range(12)]
    files = {"True.csv": table("title,subject", rows), "Fake.csv": table("title,subject", rows)}
    with pytest.raises(DataError) as caught:
        opened(files, needs=("text", "label"))
    assert "If their names are classes, put them together" in caught.value.hint


def test_folds_are_told_so(opened):
    rows = [f"text number {n},{n % 2}" for n in range(9)]
    files = {f"fold{n}_{part}.csv": table("text,label", rows) for n in (1, 2) for part in ("train", "test")}
    with pytest.raises(DataError) as caught:
        opened(files, needs=("text", "label"))
    assert "folds of cross-validation" in caught.value.hint


def test_tables_in_other_folders_are_named_where_none_is_taken(opened):
    rows = [f"text number {n}\t{n % 2}" for n in range(9)]
    files = {f"{kind}/{part}.tsv": table("a\tb", rows) for kind in ("raw", "tokenized") for part in ("dev", "old_dev")}
    with pytest.raises(DataError) as caught:
        opened(files, needs=("text", "label"))
    assert "raw/dev.tsv" in caught.value.hint and "and 1 more" in caught.value.hint


def test_lists_beside_a_table_say_its_parts(opened, tmp_path):
    names = [f"images_00{n % 2}/images/{n:04}.png" for n in range(12)]
    lines = [f"{n:04}.png" for n in range(12)]
    rows = table("Image Index,Finding,Patient ID", [f"{line},{'ab'[n % 2]},{n // 2}" for n, line in enumerate(lines)])
    files = {"entry.csv": rows, "train_val_list.txt": "\n".join(lines[:8]), "test_list.txt": "\n".join(lines[8:])}
    found = opened(files, names)
    assert Counter(sample.split for sample in found.samples) == {"train": 8, "test": 4}
    assert found.recognised.endswith("; parts as train_val_list.txt and test_list.txt say")
    (tmp_path / "train_val_list.txt").write_text("\n".join(lines[:6]))
    fewer = opened({})
    assert len(fewer.samples) == 10 and [issue.kind for issue in fewer.issues] == ["unlisted"] * 2


def test_lists_that_name_few_rows_say_no_parts(opened):
    rows = table("image,label", [f"{n}.png,{'ab'[n % 2]}" for n in range(20)])
    files = {"labels.csv": rows, "train.txt": "0.png\n1.png\n2.png\n3.png\n", "val.txt": "4.png\n5.png\n"}
    found = opened(files, [f"{n}.png" for n in range(20)])
    assert counted(found) == {("a", ""): 10, ("b", ""): 10} and not found.issues
    assert "train.txt and val.txt give 6 rows a part and are not read" in found.recognised


# ---- contests ------------------------------------------------------------------------------------------------


def test_an_example_of_what_to_hand_in_says_no_classes(opened):
    names = [f"train/{word}.{n}.png" for word in ("cat", "dog") for n in range(4)]
    tests = [f"test1/{n}.png" for n in range(1, 5)]
    example = table("id,label", [f"{n},{n % 2}" for n in range(1, 5)])
    found = opened({"sampleSubmission.csv": example}, names + tests)
    assert counted(found) == {("cat", "train"): 4, ("dog", "train"): 4}


def test_files_of_one_name_are_told_apart_by_folders_that_all_say_a_part(opened):
    names = [f"cars_{part}/cars_{part}/{n:05}.png" for part in ("train", "test") for n in range(6)]
    files = {
        "train.csv": table("class,fname", [f"{n % 2},{n:05}.png" for n in range(6)]),
        "test.csv": table("fname", [f"{n:05}.png" for n in range(6)]),
    }
    found = opened(files, names)
    assert {sample.fields["image"].split("/")[-3] for sample in found.samples} == {"cars_train"}
    assert len(found.samples) == 6 and "(6 files found by their names in cars_train/" in found.recognised


def test_a_folder_that_has_a_word_for_a_part_by_accident_tells_nothing(tmp_path, picture):
    for kind in ("bullet_train", "plane"):
        picture(tmp_path / kind / "1.png")
    assert len(Pictures(tmp_path).meant("1.png", "train")) == 2


@pytest.mark.parametrize("turned", [False, True])
def test_a_file_in_json_names_classes_that_are_numbers(opened, turned):
    names = {"1": "pink primrose", "2": "sweet pea"}
    names = {name: int(number) for number, name in names.items()} if turned else names
    rows = table("image,label", [f"{n}.png,{n % 2 + 1}" for n in range(8)])
    by_table = opened({"train.csv": rows, "names.json": json.dumps(names)}, [f"{n}.png" for n in range(8)])
    assert counted(by_table).keys() == {("pink primrose", ""), ("sweet pea", "")}
    assert "names.json names the classes" in by_table.recognised


def test_a_file_in_json_names_folders_that_are_numbers(opened, tmp_path):
    names = [f"{part}/{label}/{n}.png" for part in ("train", "valid") for label in (1, 2) for n in range(3)]
    found = opened({"cat_to_name.json": json.dumps({"1": "rose", "2": "pea"})}, names)
    assert counted(found) == {(name, part): 3 for name in ("rose", "pea") for part in ("train", "val")}
    assert found.recognised.endswith("; cat_to_name.json names the classes")
    (tmp_path / "cat_to_name.json").write_text(json.dumps({"1": "rose", "2": "pea", "3": "oak"}))
    assert {label for label, _ in counted(opened({}))} == {"1", "2"}


def test_cells_of_several_labels_are_pointed_out():
    tags = ["clear primary", "primary", "water primary", "clear water", "water", "clear", "clear primary water"]
    assert labellists.example([*tags, "primary water", "primary clear"]) == "clear primary water"
    assert labellists.example(["a|b", "b|c", "a|c", "a|b|c", "c|a", "b|a"]) == "a|b|c"
    assert labellists.example(["great white shark", "tiger shark", "hammerhead"]) == ""
    assert labellists.example([]) == ""


# ---- texts ---------------------------------------------------------------------------------------------------

PAIRS = [f"{n}\tthe first of pair {n}\tthe second of pair {n}\t{'abc'[n % 3]}" for n in range(12)]


@pytest.mark.parametrize("name", ["SICK.txt", "tweets_GroundTruth.txt"])
def test_a_lone_text_file_with_tabs_is_a_table(opened, name):
    files = {name: table("pair_ID\tsentence_A\tsentence_B\tlabel", PAIRS), "readme.txt": "about\n"}
    assert len(opened(files, needs=("text", "label")).samples) == 12


def test_the_gold_label_goes_before_those_of_annotators(opened):
    rows = [
        {"annotator_labels": ["ab"[n % 2]], "gold_label": "ab"[n % 2], "sentence1": f"one of pair {n}"}
        for n in range(12)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    assert opened({"train.jsonl": lines}, needs=("text", "label")).columns["label"] == "gold_label"


def test_other_forms_of_sentences_are_not_read_beside_them(opened):
    columns = "sentence_A\tsentence_A_original\tsentence_A_tokenized\tlabel"
    rows = [f"all of sentence {n}\tAll of sentence {n}.\tall of sentence {n} .\t{n % 2}" for n in range(12)]
    assert opened({"a.tsv": table(columns, rows)}, needs=("text", "label")).columns["text"] == "sentence_A"


def test_a_note_beside_the_only_folder_may_be_called_after_the_data(opened):
    lines = {word: "".join(f"{word} number {n}\n" for n in range(6)) for word in ("pos", "neg")}
    files = {f"rt/rt-polarity.{word}": text for word, text in lines.items()} | {"rt.README.1.0.txt": "about\n"}
    assert counted(opened(files, needs=("text", "label"))) == {("pos", ""): 6, ("neg", ""): 6}


def test_a_class_behind_an_at_sign(opened):
    words = ("positive", "neutral", "negative")
    lines = "".join(f"Profit rose , to {n} % .@{words[n % 3]}\n" for n in range(12))
    found = opened({"Sentences_AllAgree.txt": lines}, needs=("text", "label"))
    assert counted(found) == {(word, ""): 4 for word in words} and "CSV (at sign" in found.recognised
    addresses = "".join(f"write to a{n}@b{n} soon,{n % 2}\n" for n in range(12))
    assert delimited.read(addresses, "a.txt").described.startswith("CSV (comma")


@pytest.mark.parametrize("name", ["train.csv", "train.txt"])
def test_texts_that_end_with_a_name_behind_an_at_sign_divide_at_commas(name):
    rows = "".join(f"{'pos' if n % 2 else 'neg'},some words {n} @{('united', 'delta')[n % 3 % 2]}\n" for n in range(20))
    found = delimited.read(rows, name)
    assert found.described.startswith("CSV (comma") and found.rows[1] == ("pos", "some words 1 @delta")
    with_names = "".join(f"{n} to {n}, some words @{('united', 'delta')[n % 2]}\n" for n in range(20))
    assert delimited.read(with_names, "train.csv").described.startswith("CSV (comma")


# ---- numbers -------------------------------------------------------------------------------------------------


def test_a_column_of_yes_and_no_is_no_number_beside_one(opened):
    rows = [f"a thing that is called {n},{n % 2},{n * 3 + 5}" for n in range(12)]
    found = opened({"t.csv": table("name,shipping,price", rows)}, needs=("text", "value"))
    assert found.columns["value"] == "price"
    alone = opened({"t.csv": table("name,shipping", [row.rpartition(",")[0] for row in rows])}, needs=("text", "value"))
    assert alone.columns["value"] == "shipping"
