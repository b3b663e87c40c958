"""What was measured once on a machine stands for later processes."""

import time
from pathlib import Path

import pytest

from autoft import measured as module
from autoft.data import cache
from autoft.measured import measured


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.PLACE, str(tmp_path / "cache"))
    return tmp_path / "cache" / module.FOLDER


def test_it_is_measured_once_for_each_key(folder):
    answers = iter(["one", "two", "three"])
    assert measured("speed", {"a": 1, "b": 2}, lambda: next(answers)) == "one"
    assert measured("speed", {"b": 2, "a": 1}, lambda: next(answers)) == "one"
    assert measured("speed", {"a": 2, "b": 2}, lambda: next(answers)) == "two"
    assert measured("size", {"a": 1, "b": 2}, lambda: next(answers)) == "three"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")], "no drafts are left"


def test_of_two_at_a_time_the_first_answer_stands(folder):
    def slowly() -> str:
        assert measured("speed", "key", lambda: "first") == "first"  # another process is done earlier
        return "second"

    assert measured("speed", "key", slowly) == "first"


def test_where_nothing_can_be_kept_it_is_measured_again(tmp_path: Path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.PLACE, str(tmp_path / "file"))
    answers = iter(["one", "two"])
    assert [measured("speed", "key", lambda: next(answers)) for _ in range(2)] == ["one", "two"]


def test_what_cannot_be_measured_yet_is_asked_again(folder):
    assert measured("speed", "key", lambda: "") == "" and not folder.exists()
    assert measured("speed", "key", lambda: "one") == measured("speed", "key", lambda: "two") == "one"


def test_a_file_system_without_links_keeps_it_too(folder, monkeypatch):
    def link(*places: object) -> None:
        raise OSError("links are not supported")

    monkeypatch.setattr("os.link", link)
    assert measured("speed", "key", lambda: "one") == measured("speed", "key", lambda: "two") == "one"
    assert len([*folder.iterdir()]) == 1


def test_the_time_of_measuring_is_told():
    before = module.taken()
    measured("speed", "key", lambda: time.sleep(0.05) or "one")
    measured("speed", "key", lambda: "two")
    assert 0.05 <= module.taken() - before < 5


def test_the_time_of_what_else_is_done_once_is_told():
    before = module.taken()
    with pytest.raises(OSError, match="cut off"), module.once():
        time.sleep(0.05)
        raise OSError("cut off")
    assert 0.05 <= module.taken() - before < 5
