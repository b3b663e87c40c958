"""Files that `wav.scp` names on another machine."""

from __future__ import annotations

from pathlib import Path

from autoft.api import Dataset, ReadOptions
from autoft_speech._kaldi import KaldiReader


def write(part: Path, names: dict[str, str]) -> None:
    part.mkdir(parents=True, exist_ok=True)
    (part / "wav.scp").write_text("".join(f"{name} {words}\n" for name, words in names.items()))
    (part / "text").write_text("".join(f"{name} HELLO {name}\n" for name in names))


def audio(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def read(root: Path) -> Dataset:
    return KaldiReader().read(str(root), ReadOptions(needs=("audio", "transcript")))


def told(root: Path) -> dict[str, str]:
    return {s.id: str(Path(s.fields["audio"]).relative_to(root)) for s in read(root).samples}


def test_one_file_is_not_that_of_several_names(tmp_path: Path) -> None:
    write(tmp_path, {"s1": "/c/s1/001.wav", "s2": "/c/s2/001.wav", "s3": "sox /c/s3/001.wav -t wav - |"})
    audio(tmp_path, "001.wav")
    assert told(tmp_path) == {} and [issue.kind for issue in read(tmp_path).issues] == ["missing"] * 3
    audio(tmp_path, "s2/001.wav")
    assert told(tmp_path) == {"s2": "s2/001.wav"}


def test_names_of_all_parts_count(tmp_path: Path) -> None:
    write(tmp_path / "train", {"a": "/c/train/001.wav", "b": "/c/train/002.wav"})
    write(tmp_path / "test", {"c": "/c/test/001.wav"})
    audio(tmp_path, "001.wav", "002.wav")
    assert told(tmp_path) == {"train/b": "002.wav"}


def test_what_was_named_as_it_is_goes_first(tmp_path: Path) -> None:
    write(tmp_path, {"a": "s1/001.wav", "b": "/c/s1/001.wav", "c": "/c/x/002.wav"})
    audio(tmp_path, "s1/001.wav", "002.wav")
    assert told(tmp_path) == {"a": "s1/001.wav", "c": "002.wav"}
