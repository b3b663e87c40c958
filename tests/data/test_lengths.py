"""Where texts may be cut follows from how long they are."""

from __future__ import annotations

from autoft.data.lengths import worth_cutting
from autoft.records import Sample
from autoft.texthash import length


def texts(*lengths: int, word: str = "word ") -> list[Sample]:
    return [Sample(id=f"s{n}", fields={"text": word * count}) for n, count in enumerate(lengths)]


def test_words_are_counted_as_they_are_read() -> None:
    assert length("it's 3 words") == 5
    assert length("很好的酒店") == 5


def test_half_and_nine_tenths_of_the_texts_are_read_whole() -> None:
    assert worth_cutting(texts(*range(10, 1010, 10))) == (512, 904)


def test_short_texts_are_not_cut_nor_is_what_cuts_nothing() -> None:
    assert worth_cutting(texts(*[20] * 50, 200)) == ()
    assert worth_cutting(texts(*[96] * 50)) == ()
    assert worth_cutting(texts(*[20] * 80, *[400] * 20, 500)) == (400,)
    assert worth_cutting([Sample(id="a", fields={"image": "a.png"})]) == ()


def test_the_test_part_is_not_looked_at_and_each_of_several_texts_counts() -> None:
    short = texts(*[10] * 50)
    long = [Sample(id=f"t{n}", fields={"text": ("word " * (100 + n), "word " * 300)}) for n in range(50)]
    assert worth_cutting([*short, *long])
    assert worth_cutting([*short, *long], {sample.id for sample in long}) == ()
