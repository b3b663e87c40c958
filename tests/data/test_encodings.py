"""Encodings are told by marks and by what decodes, and a little damage does not spoil the rest."""

from __future__ import annotations

import pytest

from autoft.data.encodings import decode

GERMAN = "Größe, Äpfel und Öl: schön für Björn"
FRENCH = "« L’élève a mangé » — déjà"
CHINESE = "酒店的服务很好，房间也很干净。下次还会再来！"
RUSSIAN = "гостиница"


@pytest.mark.parametrize(
    ("text", "written", "told"),
    [
        ("plain", "ascii", "utf-8"),
        (GERMAN, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8-sig"),
        (CHINESE, "utf-16", "utf-16"),
        (GERMAN, "utf-32", "utf-32"),
        (GERMAN, "latin-1", "latin-1"),
        (FRENCH, "cp1252", "cp1252"),
        ("€ 5", "cp1252", "cp1252"),
        (CHINESE, "gb18030", "gb18030"),
        ("id,text\n" + CHINESE + " ok\n" * 50, "gb18030", "gb18030"),
        (CHINESE + "𠮷", "gb18030", "gb18030"),
        ("ÀÉÎ ÀÉ", "latin-1", "latin-1"),
        ("", "ascii", "utf-8"),
    ],
)
def test_texts_come_back(text, written, told):
    found = decode(text.encode(written))
    assert found.text == text
    assert (found.encoding, found.damaged) == (told, 0)
    assert found.described() == told


def test_a_broken_character_does_not_spoil_the_rest():
    raw = (CHINESE * 5).encode() + b"\xff" + GERMAN.encode()
    found = decode(raw)
    assert found.text == CHINESE * 5 + "\ufffd" + GERMAN
    assert found.described() == "utf-8, damaged in 1 place"


def test_bytes_that_windows_does_not_know_are_latin_1():
    assert decode(b"gr\xf6\xdfe \x81").encoding == "latin-1"


def test_other_alphabets_are_not_taken_for_chinese():
    assert decode(RUSSIAN.encode("cp1251")).encoding != "gb18030"
