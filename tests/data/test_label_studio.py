"""Label Studio's exports as tables: what people chose for pictures, recordings and texts."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.data.pictures import Pictures
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load


def opened(data, field="text", wanted="label", **options):
    task = SimpleNamespace(inputs=(field,), targets=(wanted,))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task)


def chosen(*names, control="kind"):
    return {"id": "a", "from_name": control, "to_name": "x", "type": "choices", "value": {"choices": list(names)}}


def write(folder, tasks):
    """An export of `(data, results)`; results are None where nobody annotated the task."""
    made = [
        {
            "id": number,
            "data": data,
            "annotations": [] if results is None else [{"id": number, "result": results, "was_cancelled": False}],
            "drafts": [],
            "predictions": [],
            "meta": {},
            "created_at": "2024-01-01",
        }
        for number, (data, results) in enumerate(tasks)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "project-1.json").write_text(json.dumps(made))


def test_choices_are_the_classes_of_texts(tmp_path):
    texts = [({"text": f"these are words {n}"}, [chosen("good" if n % 2 else "bad")]) for n in range(8)]
    write(tmp_path, [*texts, ({"text": "nobody read this"}, None)])
    data = opened(tmp_path)
    assert [sample.fields["label"] for sample in data.samples] == ["bad", "good"] * 4
    assert [issue.kind for issue in data.issues] == ["no_label"]
    assert "Label Studio's JSON" in data.recognised and "label in column 'kind'" in data.recognised


@pytest.mark.parametrize("where", ["/data/upload/3/0a1b2c3{n}-{n}.png", "/data/local-files/?d=set/photos/{n}.png"])
def test_pictures_are_found_by_the_names_of_uploads_and_links(tmp_path, picture, where):
    for n in range(8):
        picture(tmp_path / f"photos/{n}.png", seed=n)
    write(tmp_path, [({"image": where.format(n=n)}, [chosen("ab"[n % 2])]) for n in range(8)])
    data = opened(tmp_path, "image")
    assert [(s.fields["image"][-5], s.fields["label"]) for s in data.samples] == [
        (str(n), "ab"[n % 2]) for n in range(8)
    ]


def test_several_choices_are_labels(tmp_path, picture):
    for n in range(6):
        picture(tmp_path / f"{n}.png", seed=n)
    write(tmp_path, [({"image": f"/data/upload/1/{n}.png"}, [chosen(*"ab"[: n % 3])]) for n in range(6)])
    assert [sample.fields["labels"] for sample in opened(tmp_path, "image", "labels").samples] == [
        [],
        ["a"],
        ["a", "b"],
    ] * 2


@pytest.mark.parametrize(
    ("field", "target", "kind", "value", "expected"),
    [
        ("audio", "transcript", "textarea", {"text": ["hello {n}"]}, "hello 0"),
        ("audio", "label", "choices", {"choices": ["dog"]}, "dog"),
        ("text", "value", "rating", {"rating": 3}, 3.0),
        ("text", "value", "number", {"number": 2.5}, 2.5),
    ],
)
def test_what_else_people_say_of_a_task(tmp_path, field, target, kind, value, expected):
    tasks = []
    for n in range(4):
        name = f"0a1b2c3d-{n}.wav" if field == "audio" else f"some words {n}"
        said = json.loads(json.dumps(value).replace("{n}", str(n)))
        tasks.append(({field: name}, [{"id": "a", "from_name": "said", "type": kind, "value": said}]))
        (tmp_path / f"{n}.wav").write_bytes(bytes([n]))
    write(tmp_path, tasks)
    assert opened(tmp_path, field, target).samples[0].fields[target] == expected


def test_two_controls_must_be_told_apart(tmp_path):
    both = [chosen("a"), chosen("b", control="mood")]
    write(tmp_path, [({"text": f"these are words {n}"}, both) for n in range(4)])
    with pytest.raises(DataError, match="kind, mood"):
        opened(tmp_path)
    assert {sample.fields["label"] for sample in opened(tmp_path, target="mood").samples} == {"b"}


def test_notes_about_annotations_are_never_guessed(tmp_path):
    names = "annotation_id,annotator,created_at,id,lead_time,mood,text,updated_at"
    rows = [f"{n},1,2024-01-0{n % 3 + 1},{n},{n % 2}.5,{'ab'[n % 2]},these are words {n},2024" for n in range(8)]
    (tmp_path / "export.csv").write_text("\n".join([names, *rows]))
    data = opened(tmp_path)
    assert [sample.fields["label"] for sample in data.samples] == ["a", "b"] * 4
    assert {sample.fields["label"] for sample in opened(tmp_path, target="created_at").samples} > {"2024-01-01"}


def test_an_upload_has_its_first_name_where_one_file_alone_has_it(tmp_path, picture):
    picture(tmp_path / "a/1.png"), picture(tmp_path / "a/2.png"), picture(tmp_path / "b/2.png")
    found = Pictures(tmp_path)
    assert found.named("0a1b2c3d-1.png", tmp_path) == str(tmp_path / "a/1.png")
    assert found.named("0a1b2c3d-2.png", tmp_path) == "" and found.named("1a2b-1.png", tmp_path) == ""
    picture(tmp_path / "b/0a1b2c3d-1.png")
    assert Pictures(tmp_path).named("0a1b2c3d-1.png", tmp_path) == str(tmp_path / "b/0a1b2c3d-1.png")


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_several_choices_of_the_short_form_are_labels(tmp_path, picture, suffix):
    notes = {"annotation_id": 1, "annotator": 1, "created_at": "2024", "updated_at": "2024", "lead_time": 1.5}
    said = ["a", {"choices": ["a", "b"]}, None, "b"]
    rows = [{"image": f"0a1b2c3d-{n}.png", "id": n, "kind": kind, **notes} for n, kind in enumerate(said)]
    for n in range(4):
        picture(tmp_path / f"{n}.png", seed=n)
    lines = [",".join(rows[0])]
    for row in rows:
        kind = json.dumps(row["kind"]).replace('"', '""') if isinstance(row["kind"], dict) else row["kind"] or ""
        lines.append(",".join(f'"{kind}"' if key == "kind" else str(value) for key, value in row.items()))
    (tmp_path / f"all.{suffix}").write_text(json.dumps(rows) if suffix == "json" else "\n".join(lines))
    data = opened(tmp_path, "image", "labels")
    assert [sample.fields["labels"] for sample in data.samples] == [["a"], ["a", "b"], [], ["b"]]
