"""One pass over the files: damage, identical files, leaks between given splits; and the refusal."""

from __future__ import annotations

import shutil

import pytest

from autoft.data.checks import printable, refuse_if_too_bad, summarise
from autoft.data.inspect import inspect
from autoft.errors import DataError
from autoft.records import Dataset, Issue, Sample, from_json, to_json


def found(inspection) -> list[tuple[str, str, bool]]:
    return [(i.kind, i.subject, i.drops) for i in inspection.issues]


def test_sound_images(classes, checked):
    inspection = checked(classes({"a": 2, "b": 3}))
    assert found(inspection) == []
    assert len(set(inspection.digests)) == 5
    assert inspection.sides.tolist() == [[12, 10]] * 5
    assert from_json(to_json(inspection.dataset), Dataset) == inspection.dataset


def test_every_kind_of_bad_file_is_named_and_left_out(classes, picture, checked):
    root = classes({"a": 3, "b": 3})
    (root / "a" / "empty.png").touch()
    (root / "a" / "text.png").write_text("words")
    (root / "b" / "header.jpg").write_bytes(b"\xff\xd8\xff" + bytes(range(256)))
    (root / "b" / "short.png").write_bytes(picture(root / "b" / "000.png", seed=50).read_bytes()[:20])
    inspection = checked(root)
    assert sorted(found(inspection)) == [
        ("corrupt", "b/header.jpg", True),
        ("empty", "a/empty.png", True),
        ("not_an_image", "a/text.png", True),
        ("truncated", "b/short.png", True),
    ]
    assert len(inspection.dataset.samples) == len(inspection.digests) == len(inspection.sides) == 6


def test_a_folder_named_like_an_image_in_a_table(tmp_path, picture, checked):
    picture(tmp_path / "a.png", seed=1)
    picture(tmp_path / "b.png", seed=2)
    (tmp_path / "x.png").mkdir()
    (tmp_path / "labels.csv").write_text("image,label\na.png,u\nb.png,v\nx.png,v\n")
    assert ("unreadable", "x.png", True) in found(checked(tmp_path / "labels.csv"))


def test_files_that_vanish_after_reading(classes, open_data):
    root = classes({"a": 2, "b": 2})
    dataset = open_data(root)
    (root / "a" / "000.png").unlink()
    assert found(inspect(dataset, ["image"])) == [("missing", "a/000.png", True)]


def test_identical_files_are_noted_and_kept(classes, checked):
    root = classes({"a": 2, "b": 2})
    for name in ("copy.png", "again.png"):
        shutil.copy(root / "a" / "000.png", root / "a" / name)
    inspection = checked(root)
    assert found(inspection) == [("duplicate", "a/000.png", False)]
    assert len(inspection.dataset.samples) == 6
    assert len(set(inspection.digests)) == 4


def test_one_file_with_two_labels(classes, checked):
    root = classes({"a": 2, "b": 2})
    shutil.copy(root / "a" / "000.png", root / "b" / "copy.png")
    inspection = checked(root)
    assert found(inspection) == [("duplicate", "a/000.png", False), ("conflicting_label", "a/000.png", False)]
    assert inspection.issues[1].detail == "the same file is 'a' and 'b'"


@pytest.mark.parametrize(
    ("here", "there", "leaves"), [("train", "test", "train"), ("train", "val", "train"), ("val", "test", "val")]
)
def test_a_file_in_two_given_splits_leaves_the_one_nearer_to_training(classes, checked, here, there, leaves):
    for split in ("train", "val", "test"):
        root = classes({"a": 3, "b": 3}, under=split)
    shutil.copy(root / here / "a" / "000.png", root / there / "b" / "copy.png")
    inspection = checked(root)
    assert ("leak", f"{leaves}/a/000.png", False) in found(inspection)
    ids = {sample.id for sample in inspection.dataset.samples}
    assert f"{leaves}/a/000.png" not in ids and f"{there}/b/copy.png" in ids
    assert len(ids) == 18 == len(inspection.digests) == len(inspection.sides)


def test_a_group_in_two_given_splits_leaves_the_one_nearer_to_training(tmp_path, picture, checked):
    lines = ["image,split,who,label"]
    for i, (split, who) in enumerate([("train", "p1"), ("train", "p2"), ("test", "p1"), ("test", "p3")]):
        picture(tmp_path / f"{i}.png", seed=i)
        lines.append(f"{i}.png,{split},{who},{'xy'[i % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    inspection = checked(tmp_path / "labels.csv", group_col="who")
    assert ("leak", "0.png", False) in found(inspection)
    assert [sample.id for sample in inspection.dataset.samples] == ["1.png", "2.png", "3.png"]


def test_damaged_recordings_are_named(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    sample = Sample(id="a.wav", fields={"audio": str(tmp_path / "a.wav"), "label": "x"})
    inspection = inspect(Dataset(samples=(sample,), reader="t", root="", recognised=""), ["audio"])
    assert not inspection.digests and [issue.kind for issue in inspection.issues] == ["not_audio"]


def test_texts_are_told_apart_by_their_words():
    words = ["one", "two", "one"]
    samples = tuple(Sample(id=str(n), fields={"text": text, "label": "x"}) for n, text in enumerate(words))
    inspection = inspect(Dataset(samples=samples, reader="t", root="", recognised=""), ["text"])
    assert len(set(inspection.digests)) == 2
    assert [issue.kind for issue in inspection.issues] == ["duplicate"]


BAD = [Issue(kind="corrupt", subject=f"{i}.png") for i in range(5)] + [
    Issue(kind="not_an_image", subject="n.txt", drops=False)
]


def test_summary_counts_and_names():
    assert summarise(BAD) == [
        "5 corrupt images left out: 0.png, 1.png, 2.png and 2 more",
        "1 file that is not an image: n.txt",
    ]
    assert summarise([Issue(kind="empty", subject="x.png", detail="0 bytes")]) == [
        "1 empty file left out: x.png (0 bytes)"
    ]


@pytest.mark.parametrize(("total", "max_bad", "refused"), [(100, 0.05, False), (99, 0.05, True), (10, 0.5, False)])
def test_refusal_beyond_the_threshold(total, max_bad, refused):
    if not refused:
        refuse_if_too_bad(BAD, total, max_bad)
        return
    with pytest.raises(DataError, match=r"5 of 99 are: 5 corrupt images left out: 0\.png, 1\.png, 2\.png") as caught:
        refuse_if_too_bad(BAD, total, max_bad)
    assert "--max-bad 6%" in caught.value.hint
    assert caught.value.exit_code == 3


def test_two_issues_of_one_file_count_once():
    refuse_if_too_bad([Issue(kind="empty", subject="a"), Issue(kind="missing", subject="a")], 20, 0.05)


def test_names_are_safe_for_the_screen():
    assert printable("a\x1b[31m\nb.png") == r"a\x1b[31m\nb.png"
    assert printable("猫.png") == "猫.png"
    assert len(printable("x" * 500 + ".png")) == 60
