"""Pieces of recordings that files beside them tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from track_toys import LABELS, WORDS, read, write

from autoft.api import DataError, ReadOptions, UsageError
from autoft_speech._tracks import TracksReader

PIECES = [(0.5, 1.25, "dog"), (1.5, 2.0, 'a "cat"')]
RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tSpecies"


def audacity(tier: str) -> str:
    return "".join(f"{a:.6f}\t{b:.6f}\t{words}\n" for a, b, words in PIECES) + "\\\t1000.0\t2000.0\n2.0\t3.0\t\n"


def comma(tier: str) -> str:
    return "".join(f"{a:.3f}\t{b:.3f}\t{words}\n".replace(".", ",") for a, b, words in PIECES)


def intervals() -> list[tuple[float, float, str]]:
    cuts = [(0.0, 0.5, ""), PIECES[0], (1.25, 1.5, ""), PIECES[1], (2.0, 3.0, "")]
    return [(a, b, words.replace('"', '""')) for a, b, words in cuts]


def textgrid(tier: str) -> str:
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ", "xmax = 3 ", "tiers? <exists> "]
    lines += ["size = 2 ", "item []: ", "    item [1]:", '        class = "TextTier"', '        name = "points 7"']
    lines += ["        xmin = 0", "        xmax = 3", "        points: size = 1 ", "        points [1]:"]
    lines += [
        "            number = 1.5",
        '            mark = "5 x"',
        "    item [2]:",
        '        class = "IntervalTier" ',
    ]
    lines += [f'        name = "{tier}" ', "        xmin = 0 ", "        xmax = 3 ", "        intervals: size = 5 "]
    for place, (a, b, words) in enumerate(intervals(), 1):
        lines += [f"        intervals [{place}]:", f"            xmin = {a} ", f"            xmax = {b} "]
        lines += [f'            text = "{words}" ']
    return "\n".join(lines) + "\n"


def short(tier: str) -> str:
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "3", "<exists>", "1"]
    lines += ['"IntervalTier"', f'"{tier}"', "0", "3", "5"]
    return "\n".join([*lines, *(f'{a}\n{b}\n"{words}"' for a, b, words in intervals())])


def elan(tier: str) -> str:
    slots = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="t{2 * n + k}" TIME_VALUE="{round(1000 * piece[k])}"/>'
        for n, piece in enumerate(PIECES)
        for k in (0, 1)
    )
    notes = "".join(
        f'<ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="t{2 * n}" TIME_SLOT_REF2="t{2 * n + 1}">'
        f"<ANNOTATION_VALUE>{piece[2]}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
        for n, piece in enumerate(PIECES)
    )
    body = f'<TIME_ORDER>{slots}</TIME_ORDER><TIER TIER_ID="{tier}">{notes}</TIER><TIER TIER_ID="empty"/>'
    return f'<?xml version="1.0"?><ANNOTATION_DOCUMENT>{body}</ANNOTATION_DOCUMENT>'


def raven(tier: str) -> str:
    rows = [
        f"{n}\t{view}\t1\t{a}\t{b}\t0.0\t{words}"
        for n, (a, b, words) in enumerate(PIECES)
        for view in ("Waveform 1", "Spectrogram 1")
    ]
    return "\n".join([RAVEN, *rows])


FORMS = {
    "a.txt": audacity,
    "a_labels.txt": comma,
    "a.TextGrid": textgrid,
    "a.textgrid": short,
    "a.eaf": elan,
    "a.Table.1.selections.txt": raven,
}


@pytest.mark.parametrize("options", [LABELS, WORDS])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_tells_the_same_pieces(tmp_path: Path, name: str, options: ReadOptions) -> None:
    found = read(write(tmp_path, {"a.wav": b"", "b.wav": b"", name: FORMS[name]("event")}), options)
    assert [tuple(sample.fields["piece"]) for sample in found.samples] == [(0.5, 1.25), (1.5, 2.0)]
    assert [sample.fields[options.needs[1]] for sample in found.samples] == ["dog", 'a "cat"']
    assert found.samples[0].id == "a.wav@0.5-1.25s" and not found.issues
    assert "2 pieces of 1 recording" in found.recognised
    assert found.recognised.endswith("; 1 recording without such a file left out")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    content = mark + textgrid("Vögel").replace("dog", "Mäusebussard").encode(encoding)
    found = read(write(tmp_path, {"a.wav": b"", "a.TextGrid": content}))
    assert found.samples[0].fields["label"] == "Mäusebussard" and "tier 'Vögel'" in found.recognised


def test_one_of_several_tiers(tmp_path: Path) -> None:
    tiers = elan("Anna").split("</TIME_ORDER>")[1].split("</ANNOTATION_DOCUMENT>")[0]
    two = elan("Anna").replace("</ANNOTATION_DOCUMENT>", tiers.replace("Anna", "Bo") + "</ANNOTATION_DOCUMENT>")
    folder = write(tmp_path, {"a.wav": b"", "a.eaf": two})
    with pytest.raises(DataError, match=r"could be: Anna \(the first says 'dog'\), Bo") as caught:
        read(folder)
    assert "--target TIER,TIER" in caught.value.hint
    for target in ("Anna", "Anna, Bo"):
        assert len(read(folder, ReadOptions(needs=LABELS.needs, columns={"label": target})).samples) == 2
    with pytest.raises(UsageError, match="Did you mean 'Anna'"):
        read(folder, ReadOptions(needs=LABELS.needs, columns={"label": "Ana"}))


def test_a_usual_name_goes_first(tmp_path: Path) -> None:
    tiers = elan("words").split("</TIME_ORDER>")[1].split("</ANNOTATION_DOCUMENT>")[0]
    both = elan("Utterances").replace("</ANNOTATION_DOCUMENT>", tiers + "</ANNOTATION_DOCUMENT>")
    assert "tier 'Utterances'" in read(write(tmp_path, {"a.wav": b"", "a.eaf": both}), WORDS).recognised


def test_parts_by_folders(tmp_path: Path) -> None:
    files = {f"{part}/{part}{n}.wav": b"" for part in ("train", "test") for n in range(2)}
    found = read(write(tmp_path, files | {name.replace(".wav", ".txt"): audacity("") for name in files}))
    assert {sample.split for sample in found.samples} == {"train", "test"} and "(4 test, 4 train)" in found.recognised


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"dog/a.wav": b"", "cat/b.wav": b"", "dog/a.TextGrid": textgrid("words")}, LABELS),
        ({"a.wav": b"", "a.TextGrid": textgrid("words"), "a.lab": "what is said"}, WORDS),
        ({"a.wav": b"", "a.txt": "0 46797 She had your suit\n"}, WORDS),
        ({"a.wav": b"", "a.txt": "0.5\t1.25\tshe had\n1.5\t2.0\tyour suit\n"}, WORDS),
        ({"a.wav": b"", "b.txt": audacity("")}, LABELS),
        ({"a.wav": b"", "a.txt": audacity(""), "all.csv": "file,label\n"}, LABELS),
        ({"a.wav": b"", "a.txt": audacity("")}, ReadOptions(needs=("image", "label"))),
    ],
)
def test_what_others_read(tmp_path: Path, files: dict[str, str | bytes], options: ReadOptions) -> None:
    assert not TracksReader().sniff(str(write(tmp_path, files)), options)


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    files = {"a.wav": b"", "a.txt": "1.0\t1.0\tdog\n1.0\t2.0\tcat\n", "b.wav": b"", "b.TextGrid": textgrid("x")[:300]}
    found = read(write(tmp_path, files))
    assert [sample.fields["label"] for sample in found.samples] == ["cat"]
    assert {(issue.kind, issue.subject) for issue in found.issues} == {
        ("no_piece", "a.wav@1-1s"),
        ("unreadable", "b.TextGrid"),
    }
    with pytest.raises(DataError, match="all are empty"):
        read(write(tmp_path / "more", {"a.wav": b"", "a.txt": "1.0\t2.0\t\n"}))


def test_prediction_takes_pieces_that_nobody_named(tmp_path: Path) -> None:
    options = ReadOptions(needs=LABELS.needs, optional=("label",), guessed={"tier": ""})
    found = read(write(tmp_path, {"a.wav": b"", "a.txt": "1.0\t2.0\t\n2.0\t3.0\tdog\n"}), options)
    assert [sample.fields.get("label") for sample in found.samples] == [None, "dog"]
