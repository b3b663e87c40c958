"""Encodings are told by marks, by being UTF-8 or by letters of languages, and a little damage does not spoil all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autoft.data.encodings import decode, is_binary, named, together
from autoft.data.readers import open_dataset
from autoft.data.table import TableReader
from autoft.data.textfolder import TextFolderReader
from autoft.errors import UsageError
from autoft.options import DataOptions
from autoft.records import ReadOptions
from autoft.registry import load

GERMAN = "Größe, Äpfel und Öl: schön für Björn"
FRENCH = "« L’élève a mangé » — déjà"
CHINESE = "酒店的服务很好，房间也很干净。下次还会再来！"
RUSSIAN = "Очень хороший фильм, я советую его всем. Игра актёров понравилась, но конец скучный."
JAPANESE = "この映画はとても面白いです。おすすめします。ホテルの部屋はきれいでした。"
NEEDS = ReadOptions(needs=("text", "label"))


@pytest.mark.parametrize(
    ("text", "written", "told"),
    [
        ("plain", "ascii", "utf-8"),
        (GERMAN, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8-sig"),
        (CHINESE, "utf-16", "utf-16"),
        (GERMAN, "utf-32", "utf-32"),
        ("", "ascii", "utf-8"),
    ],
)
def test_texts_that_say_what_they_are_in(text, written, told):
    found = decode(text.encode(written))
    assert (found.text, found.encoding, found.damaged, found.guessed) == (text, told, 0, False)
    assert found.described() == told and not found.issues("a.csv")


@pytest.mark.parametrize(
    ("text", "written", "told"),
    [
        (GERMAN, "latin-1", "latin-1"),
        (FRENCH, "cp1252", "cp1252"),
        ("€ 5", "cp1252", "cp1252"),
        ("un café", "latin-1", "latin-1"),
        ("Straße, größer als früher", "cp850", "cp850"),
        (CHINESE, "gb18030", "gb18030"),
        ("id,text\n" + CHINESE + " ok\n" * 50, "gb18030", "gb18030"),
        (CHINESE + "𠮷", "gb18030", "gb18030"),
        ("這部電影非常好看，我推薦給大家，故事很感人", "big5", "big5"),
        (JAPANESE, "shift_jis", "shift_jis"),
        (JAPANESE, "euc-jp", "euc-jp"),
        (JAPANESE, "iso2022_jp", "iso2022_jp"),
        ("이 영화는 정말 재미있고 좋은 영화입니다. 추천합니다", "euc-kr", "euc-kr"),
        ("똠방각하 펲시콜라 이 영화는 좋은 영화입니다", "cp949", "cp949"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (RUSSIAN, "cp866", "cp866"),
        (RUSSIAN, "iso8859-5", "iso-8859-5"),
        ("Дуже гарний фільм, раджу його всім. Її гра сподобалася мені", "koi8-u", "koi8-u"),
        ("Żółta łódź płynęła, śliczna pogoda", "cp1250", "cp1250"),
        ("Żółta łódź płynęła, śliczna pogoda, źródło", "iso8859-2", "iso-8859-2"),
        ("Αυτή η ταινία είναι πολύ καλή. Άλλη μία φορά", "cp1253", "cp1253"),
        ("Αυτή η ταινία είναι πολύ καλή. Άλλη μία φορά", "iso8859-7", "iso-8859-7"),
        ("Bu film çok güzel, herkese tavsiye ederim. Değişik ışık", "iso8859-9", "cp1254"),
        ("הסרט הזה טוב מאוד ואני ממליץ עליו לכולם", "cp1255", "cp1255"),
        ("هذا الفيلم جيد جدا وأنا أوصي به للجميع", "cp1256", "cp1256"),
        ("Šis filmas labai geras, rekomenduoju visiems. Žmogus", "cp1257", "cp1257"),
        ("หนังเรื่องนี้ดีมาก ฉันแนะนำให้ทุกคน", "cp874", "cp874"),
        ("hello world\nagain", "utf-16-le", "utf-16-le"),
        ("a,b\n" + CHINESE, "utf-16-be", "utf-16-be"),
        (f"一个{CHINESE}一样\n" * 3, "utf-16-le", "utf-16-le"),
        ("привет, мир\n", "utf-16-be", "utf-16-be"),
        ("hello world", "utf-32-le", "utf-32-le"),
    ],
)
def test_other_texts_are_guessed_and_it_is_said(text, written, told):
    found = decode(text.encode(written))
    assert (found.text, found.encoding, found.damaged, found.guessed) == (text, told, 0, True)
    assert found.described() == f"{told}, guessed"
    (issue,) = found.issues("a.csv")
    assert (issue.kind, issue.subject, issue.drops) == ("guessed_encoding", "a.csv", False)
    assert issue.detail == f"{told}; --encoding names another"


def test_a_broken_character_does_not_spoil_the_rest():
    raw = (CHINESE * 5).encode() + b"\xff" + GERMAN.encode()
    found = decode(raw)
    assert found.text == CHINESE * 5 + "\ufffd" + GERMAN
    assert found.described() == "utf-8, damaged in 1 place"


def test_bytes_that_windows_does_not_know_are_latin_1():
    assert decode(b"gr\xf6\xdfe \x81").encoding == "latin-1"


def test_short_texts_help_each_other():
    words = ("Отлично", "ПЛОХО ОЧЕНЬ", "да", "Не советую", "Хороший фильм")
    raws = [word.encode("cp1251") for word in words]
    assert [found.text for found in together(raws)] == [*words] and not together([])
    mixed = together([*raws * 4, RUSSIAN.encode("koi8-r")])
    assert [found.text for found in mixed] == [*words * 4, RUSSIAN], "a long text speaks for itself"
    many = together([raw + str(n).encode() for n in range(300) for raw in raws])
    assert {found.encoding for found in many} == {"cp1251"} and len(many) == 1500


def test_what_the_user_names_counts_where_the_file_does_not_tell():
    assert decode(GERMAN.encode("cp850"), asked="cp850").described() == "cp850"
    assert decode(GERMAN.encode(), asked="cp850").text == GERMAN
    assert decode("hi".encode("utf-16-le"), asked="utf-16-le").text == "hi"
    assert decode(b"\xe9", asked="ascii").described() == "ascii, damaged in 1 place"
    assert named("CP1251") == "cp1251" and named("") == ""
    with pytest.raises(UsageError, match="--encoding must be an encoding of texts, but 'hex' is none"):
        named("hex")
    with pytest.raises(UsageError, match="'klingon' is none"):
        named("klingon")


def test_a_stray_zero_byte_does_not_make_a_text_wide():
    assert decode(b"some words, and \0 more words\n").encoding == "utf-8" and is_binary(
        b"some words, and \0 more words\n"
    )


def test_pictures_are_no_texts():
    assert is_binary(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10") and is_binary(bytes(range(256)))
    assert not is_binary("hello".encode("utf-16-le")) and not is_binary("hello".encode("utf-16"))


def table(path, text, encoding):
    path.write_bytes(text.encode(encoding))


def test_each_table_is_in_an_encoding_of_its_own(tmp_path):
    lines = "".join(f"{RUSSIAN} {n};{'да' if n % 2 else 'нет'}\n" for n in range(20))
    table(tmp_path / "train.csv", f"text;label\n{lines}", "cp1251")
    table(tmp_path / "test.csv", f"text;label\n{lines}", "utf-8")
    found = TableReader().read(str(tmp_path), NEEDS)
    assert {s.fields["label"] for s in found.samples} == {"да", "нет"}
    assert "train.csv, CSV (semicolon, cp1251, guessed)" in found.recognised
    assert "test.csv, CSV (semicolon, utf-8)" in found.recognised
    assert [(issue.kind, issue.subject) for issue in found.issues] == [("guessed_encoding", "train.csv")]
    asked = ReadOptions(needs=("text", "label"), encoding="koi8-r")
    assert "train.csv, CSV (semicolon, koi8-r)" in TableReader().read(str(tmp_path), asked).recognised


def test_texts_in_folders_that_are_short(tmp_path):
    for place, word in enumerate(("Отлично", "ПЛОХО ОЧЕНЬ", "да", "Не советую", "Хороший фильм", "English")):
        folder = tmp_path / "ab"[place % 2]
        folder.mkdir(exist_ok=True)
        (folder / f"{place}.txt").write_bytes(word.encode("cp1251"))
    (tmp_path / "a" / "wide.txt").write_bytes("wide text".encode("utf-16-le"))
    found = TextFolderReader().read(str(tmp_path), NEEDS)
    assert {s.fields["text"] for s in found.samples} >= {"Отлично", "ПЛОХО ОЧЕНЬ", "да", "Не советую", "wide text"}
    assert "5 cp1251, guessed" in found.recognised
    assert len([issue for issue in found.issues if issue.kind == "guessed_encoding"]) == 6


def test_the_option_reaches_the_readers(tmp_path):
    table(tmp_path / "a.csv", "text,label\n" + f'"{RUSSIAN}",да\n"{RUSSIAN} !",нет\n' * 3, "cp866")
    task = SimpleNamespace(inputs=("text",), targets=("label",))
    found = open_dataset(load(), DataOptions(data=str(tmp_path / "a.csv"), encoding="IBM866"), task)
    assert "CSV (comma, cp866)" in found.recognised and found.samples[0].fields["text"] == RUSSIAN
    with pytest.raises(UsageError, match="--encoding"):
        open_dataset(load(), DataOptions(data=str(tmp_path / "a.csv"), encoding="cp9999"), task)
