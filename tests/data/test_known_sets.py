"""Layouts of known sets: FGVC-Aircraft, CelebA, TREC, and collections of emotional speech."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.errors import DataError, UsageError
from autoft.options import DataOptions
from autoft.registry import load


def opened(data, field="image", wanted="label", **options):
    task = SimpleNamespace(inputs=(field,), targets=(wanted,))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task)


def told(data):
    return Counter((sample.fields.get("label"), sample.split) for sample in data.samples)


@pytest.fixture
def aircraft(tmp_path, picture):
    """The lists of FGVC-Aircraft; gives back their folder."""
    folder = tmp_path / "fgvc-aircraft-2013b/data"
    rows = [
        (f"{1000 + n}", ("707-320", "A320", "A321")[n % 3], ("Boeing", "Airbus", "Airbus")[n % 3]) for n in range(12)
    ]
    for seed, (name, *_) in enumerate(rows):
        picture(folder / f"images/{name}.jpg", seed=seed)
    for part, kept in {"train": rows[:6], "val": rows[6:9], "trainval": rows[:9], "test": rows[9:]}.items():
        for place, level in enumerate(("variant", "manufacturer"), 1):
            (folder / f"images_{level}_{part}.txt").write_text("".join(f"{row[0]} {row[place]}\n" for row in kept))
        (folder / f"images_{part}.txt").write_text("".join(f"{row[0]}\n" for row in kept))
    (folder / "variants.txt").write_text("707-320\nA320\nA321\n")
    return tmp_path


def test_one_of_several_levels_of_classes_must_be_named(aircraft):
    with pytest.raises(DataError, match=r"manufacturer \(2 classes\), variant \(3 classes\)") as caught:
        opened(aircraft)
    assert "--target variant" in str(caught.value.hint)
    with pytest.raises(UsageError, match="Did you mean 'variant'"):
        opened(aircraft, target="variants")


@pytest.mark.parametrize("below", ["", "fgvc-aircraft-2013b", "fgvc-aircraft-2013b/data"])
def test_the_named_level_is_read_with_its_parts(aircraft, below):
    data = opened(aircraft / below, target="manufacturer")
    assert told(data) == {
        ("Boeing", "train"): 2, ("Airbus", "train"): 4, ("Boeing", "val"): 1, ("Airbus", "val"): 2,
        ("Boeing", "test"): 1, ("Airbus", "test"): 2,
    }  # fmt: skip
    assert "manufacturer is taken, 2 classes, 12 images" in data.recognised
    (aircraft / "fgvc-aircraft-2013b/data/images/1011.jpg").unlink()
    assert [issue.kind for issue in opened(aircraft, target="variant").issues] == ["missing"]


ATTRIBUTES = ("5_o_Clock_Shadow", "Bald", "Smiling")


@pytest.fixture(params=["as it is published", "as tables"])
def celeba(request, tmp_path, picture):
    """CelebA's lists, in one of two forms; gives back their folder."""
    names = [f"{n:06d}.jpg" for n in range(1, 9)]
    marks = [["1" if n >> bit & 1 else "-1" for bit in range(3)] for n in range(8)]
    parts = "00001122"
    for seed, name in enumerate(names):
        picture(tmp_path / f"img_align_celeba/{name}", seed=seed)
    rows = list(zip(names, marks, parts, strict=True))
    if request.param == "as tables":
        lines = [f"image_id,{','.join(ATTRIBUTES)}", *(f"{name},{','.join(cells)}" for name, cells, _ in rows)]
        (tmp_path / "list_attr_celeba.csv").write_text("\n".join(lines))
        lines = ["image_id,partition", *(f"{name},{part}" for name, _, part in rows)]
        (tmp_path / "list_eval_partition.csv").write_text("\n".join(lines))
        (tmp_path / "list_bbox_celeba.csv").write_text("image_id,x_1,y_1,width,height\n000001.jpg,1,1,5,5\n")
        return tmp_path
    lines = ["8", " ".join(ATTRIBUTES) + " ", *(f"{name}  {'  '.join(cells)}" for name, cells, _ in rows)]
    for folder in ("Anno", "Eval"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Anno/list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "Eval/list_eval_partition.txt").write_text("".join(f"{name} {part}\n" for name, _, part in rows))
    return tmp_path


def test_attributes_of_celeba_are_labels(celeba):
    data = opened(celeba, wanted="labels")
    found = [(sample.fields["labels"], sample.split) for sample in data.samples]
    assert found[:2] == [([], "train"), (["5_o_Clock_Shadow"], "train")]
    assert found[6:] == [(["Bald", "Smiling"], "test"), ([*ATTRIBUTES], "test")]
    assert Counter(split for _, split in found) == {"train": 4, "val": 2, "test": 2}
    some = opened(celeba, wanted="labels", target="Smiling,Bald")
    assert some.samples[7].fields["labels"] == ["Bald", "Smiling"]


def test_attributes_of_celeba_are_no_classes(celeba):
    with pytest.raises(DataError, match="tells 3 attributes") as caught:
        opened(celeba)
    assert "--task image-multilabel" in str(caught.value.hint)


def trec(folder):
    kinds = ("DESC:manner", "DESC:reason", "HUM:ind")
    for name, count in (("train_5500", 12), ("train_1000", 6), ("TREC_10", 6)):
        lines = [f"{kinds[n % 3]} How did the {n} caf\xe9 begin ?" for n in range(count)]
        (folder / f"{name}.label").write_text("\n".join(lines) + "\n", encoding="latin-1")
    return folder


def test_questions_of_trec_have_classes_on_two_levels(tmp_path):
    trec(tmp_path)
    with pytest.raises(DataError, match=r"coarse \(2 classes\), fine \(3 classes\)"):
        opened(tmp_path, "text")
    with pytest.raises(UsageError, match="level"):
        opened(tmp_path, "text", target="middle")
    data = opened(tmp_path, "text", target="coarse")
    assert told(data) == {("DESC", "train"): 8, ("HUM", "train"): 4, ("DESC", "test"): 4, ("HUM", "test"): 2}
    assert {sample.fields["text"] for sample in data.samples} >= {"How did the 0 caf\xe9 begin ?"}
    assert "not read: train_1000.label" in data.recognised
    alone = opened(tmp_path / "train_5500.label", "text", target="fine")
    assert told(alone) == {("DESC:manner", ""): 4, ("DESC:reason", ""): 4, ("HUM:ind", ""): 4}


COLLECTIONS = {
    "CREMA-D": ("AudioWAV/{s}_DFA_{e}_XX.wav", ("1001", "1002", "1091"), ("ANG", "HAP"), ("anger", "happiness")),
    "EmoDB": ("wav/{s}a01{e}b.wav", ("03", "08", "16"), ("W", "L"), ("anger", "boredom")),
    "RAVDESS": ("Actor_{s}/03-01-{e}-01-02-01-{s}.wav", ("01", "02", "24"), ("02", "08"), ("calm", "surprised")),
    "SAVEE": ("{s}/{e}01.wav", ("DC", "JE", "JK"), ("sa", "su"), ("sadness", "surprise")),
    "SAVEE flat": ("ALL/{s}_{e}01.wav", ("DC", "JE", "JK"), ("a", "n"), ("anger", "neutral")),
}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_emotions_are_read_from_names_and_speakers_stay_together(audio, name):
    form, speakers, codes, classes = COLLECTIONS[name]
    data = audio(*(form.format(s=speaker, e=code) for speaker in speakers for code in codes))
    found = {(sample.fields["label"], sample.group) for sample in data.samples}
    assert found == {(label, speaker) for speaker in speakers for label in classes}
    assert name.split()[0] in data.recognised and "3 speakers, each stays in one part" in data.recognised
    people = opened(data.root, "audio", target="speaker")
    assert {sample.fields["label"] for sample in people.samples} == {*speakers}
    assert {sample.group for sample in people.samples} == {""}
    with pytest.raises(UsageError, match="emotion or speaker"):
        opened(data.root, "audio", target="sentence")


def test_a_copy_of_all_recordings_further_down_is_left_out(audio, tmp_path):
    names = [f"Actor_{s}/03-01-{e}-01-02-01-{s}.wav" for s in ("01", "02", "24") for e in ("02", "08")]
    for name in names:
        copy = tmp_path / "audio_speech_actors_01-24" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(name.encode())  # as the fixture writes the first of them
    data = audio(*names)
    assert sorted(sample.id for sample in data.samples) == names
    assert data.recognised.endswith("; 6 copies further down are left out")


@pytest.mark.parametrize(("first", "further"), [("clean/", "noisy/"), ("", "noisy/"), ("clean/", "more/clean/")])
def test_other_recordings_of_the_same_names_are_no_copies(audio, tmp_path, first, further):
    names = [f"Actor_{s}/03-01-{e}-01-02-01-{s}.wav" for s in ("01", "02", "24") for e in ("02", "08")]
    for name in names:
        other = tmp_path / further / name
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(f"{first}{name}".encode()[::-1])  # as long as what the fixture writes
    data = audio(*(f"{first}{name}" for name in names))
    assert len(data.samples) == 12 and "copies" not in data.recognised


def test_two_speakers_are_too_few_for_parts(audio):
    names = [f"{s}_{e}/{s}_{w}_{e}.wav" for s in ("OAF", "YAF") for e in ("angry", "ps") for w in ("back", "bar")]
    data = audio(*names, "OAF_angry/OA_bite_angry.wav")
    assert Counter(sample.fields["label"] for sample in data.samples) == {"angry": 5, "surprised": 4}
    assert {sample.group for sample in data.samples} == {""} and "2 speakers, too few" in data.recognised


def test_names_of_other_recordings_are_no_codes(audio):
    data = audio(*(f"{word}/{number}a01Wb.wav" for word in ("yes", "no") for number in ("3", "8")))
    assert data.reader == "folder", "one digit is no speaker of EmoDB"


def test_a_table_says_more_than_codes(audio, tmp_path):
    names = [f"{speaker}a01{code}b.wav" for speaker in ("03", "08", "16") for code in "WL"]
    (tmp_path / "all.csv").write_text("path,label\n" + "".join(f"{name},{name[:2]}\n" for name in names))
    assert audio(*names).reader == "table"


def test_folds_of_sounds_stay_together(audio, tmp_path):
    names = [f"audio/fold{fold}/{n}-{n % 2}-0-{fold}.wav" for fold in (1, 2, 3) for n in range(4)]
    rows = [
        f"{name.split('/')[-1]},{n},{name[10]},{n % 2},{('dog_bark', 'siren')[n % 2]}" for n, name in enumerate(names)
    ]
    (tmp_path / "metadata").mkdir()
    header = "slice_file_name,fsID,fold,classID,class\n"
    (tmp_path / "metadata/UrbanSound8K.csv").write_text(header + "\n".join(rows))
    data = audio(*names)
    assert {(sample.fields["label"], sample.group) for sample in data.samples} == {
        (label, fold) for label in ("dog_bark", "siren") for fold in "123"
    }


def test_data_sets_of_supervisely_are_no_classes(tmp_path, picture):
    for seed, name in enumerate(("ds0", "ds1")):
        picture(tmp_path / name / "img/1.png", seed=seed)
        (tmp_path / name / "ann").mkdir()
        (tmp_path / name / "ann/1.png.json").write_text("{}")
    with pytest.raises(DataError, match="not in class folders"):
        opened(tmp_path)
