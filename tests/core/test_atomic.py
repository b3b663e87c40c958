"""Files and folders are the old or the new ones, whatever happens in between."""

import pytest

from autoft import atomic


def folder(path, text):
    path.mkdir()
    (path / "weights").write_text(text)
    return path


def names(path):
    return sorted(p.name for p in path.iterdir())


def test_a_text_is_written_and_replaced(tmp_path):
    atomic.write_text(tmp_path / "a.json", "old")
    atomic.write_text(tmp_path / "a.json", "grüße\n")
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "grüße\n"
    assert names(tmp_path) == ["a.json"]


def test_a_text_that_cannot_be_written_leaves_the_old_one_and_no_litter(tmp_path):
    atomic.write_text(tmp_path / "a.json", "old")
    with pytest.raises(UnicodeEncodeError):
        atomic.write_text(tmp_path / "a.json", "a name that is no text: \udcff")
    assert (tmp_path / "a.json").read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_a_crash_before_the_move_leaves_the_old_text(tmp_path, monkeypatch):
    atomic.write_text(tmp_path / "a.json", "old")

    def crash(*names):
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_text(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "old"


def test_lines_are_appended(tmp_path):
    for line in ("one", "zwölf", "three"):
        atomic.append_line(tmp_path / "log", line)
    assert (tmp_path / "log").read_bytes() == "one\nzwölf\nthree\n".encode()


def test_a_line_after_one_that_was_cut_off_stands_alone(tmp_path):
    (tmp_path / "log").write_text('{"whole": 1}\n{"cut of')
    atomic.append_line(tmp_path / "log", '{"next": 1}')
    assert (tmp_path / "log").read_text().splitlines() == ['{"whole": 1}', '{"cut of', '{"next": 1}']


@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "fallback"])
def test_a_folder_takes_the_place_of_another(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    atomic.replace_folder(folder(tmp_path / "first", "1"), tmp_path / "best")
    assert (tmp_path / "best/weights").read_text() == "1"
    atomic.replace_folder(folder(tmp_path / "second", "2"), tmp_path / "best")
    assert (tmp_path / "best/weights").read_text() == "2"
    assert names(tmp_path) == ["best"]


def test_this_system_exchanges_in_one_step(tmp_path):
    one, other = folder(tmp_path / "one", "1"), folder(tmp_path / "other", "2")
    if not atomic._exchange(one, other):
        pytest.skip("this system has no atomic exchange")
    assert (one / "weights").read_text() == "2" and (other / "weights").read_text() == "1"


def test_where_the_new_folder_cannot_be_moved_the_old_one_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    best = folder(tmp_path / "best", "old")
    with pytest.raises(FileNotFoundError):
        atomic.replace_folder(tmp_path / "vanished", best)
    assert (best / "weights").read_text() == "old"
    assert names(tmp_path) == ["best"]


def test_of_several_drafts_the_first_becomes_the_folder(tmp_path):
    place = tmp_path / "made"
    with atomic.first(place, "weights") as late:
        (late / "weights").write_text("late")
        with atomic.first(place, "weights") as early:
            (early / "weights").write_text("early")
        assert names(tmp_path) == [late.name, "made"]
    assert (place / "weights").read_text() == "early" and names(tmp_path) == ["made"]


def test_a_draft_that_fails_or_finds_half_a_folder_leaves_no_litter(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic.first(tmp_path / "made"):
        raise ZeroDivisionError
    assert names(tmp_path) == []
    folder(tmp_path / "half", "half")
    with pytest.raises(OSError), atomic.first(tmp_path / "half", "index"):
        pass
    assert names(tmp_path) == ["half"]
