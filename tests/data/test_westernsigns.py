"""Texts that have signs alone, or few letters, beyond ASCII are told as Windows writes them in Western Europe."""

from __future__ import annotations

import random

import pytest

from autoft.data.encodings import decode

WORDS = "the price of this good room was only and we paid for two nights at a hotel near the city centre".split()
APOSTROPHES = (
    "the staff here don't care and I can't say that it's good but we didn't wait so that's fine, we're ok".split()
)
ENGLISH = (
    "£5", "5°", "25°C", "5 m²", "3½ stars", "½ cup", "4 µm", "±3", "© 2020", "ok – well", "ok—well", "wait…", "“good”",
    "a ‘nice’ one", "don’t", "the dogs’ home", "€5", "3×4", "§ 7", "• item", "«ok»", "1º", "2ª", "¿no?", "café",
    "µ12", "naïve", "jalapeño", "it´s", "5¢", "Nike®",
)  # fmt: skip
"""Each of them may be all that a text has beyond ASCII."""


def rows(ends, words=WORDS):
    rng = random.Random(0)
    return "text,label\n" + "".join(f"{' '.join(rng.choices(words, k=12))} {end},pos\n" for end in ends)


def same(text, encoding, *others):
    found = decode(text.encode(encoding))
    assert (found.text, found.encoding) == (text, found.encoding), found.encoding
    assert found.encoding in (encoding, *others)


@pytest.mark.parametrize("times", [1, 5, 60, 300])
@pytest.mark.parametrize("end", ENGLISH)
def test_a_sign_or_a_letter_in_english(end, times):
    same(rows([end] * times), "cp1252", "latin-1")
    same(rows(["ok"] * 30 + [end] + ["ok"] * 30), "cp1252", "latin-1")


def test_signs_and_letters_in_english():
    same(rows(["café" if n % 10 == 0 else f"£{n}" for n in range(60)]), "cp1252", "latin-1")
    same(rows([ENGLISH[n % len(ENGLISH)] for n in range(60)]), "cp1252")
    for lines in (1, 3, 60, 1000):
        same(rows(["ok"] * lines, APOSTROPHES).replace("'", "’"), "cp1252")
        same(rows(["– “ok”…"] * lines, APOSTROPHES).replace("'", "’"), "cp1252")


LINES = {
    "french": ("cp1252", "L’hôtel était très agréable, un séjour à Noël… « C’est déjà ça », dit-elle – 50 € la nuit.",
               "J’ai adoré, mais l’accueil n’était pas à la hauteur !", "Une œuvre magnifique, ça c’est sûr."),
    "german": ("cp1252", "Die Straße war schön, größer als früher – für Björn „übrigens“ zu laut…",
               "Das Frühstück kostet 12 € und schmeckt gräßlich.", "Geht so, würde ich sagen."),
    "spanish": ("cp1252", "El año pasado viajé a España: ¿cómo está? ¡Qué película más bonita!",
                "La habitación era pequeña, 25 m² y 3ª planta.", "No volveré jamás, ni por 10 €."),
    "portuguese": ("cp1252", "Não gostei da refeição – o café estava frio e a atenção também não.",
                   "É o 1º hotel que não tem pão.", "Ótima localização, às vezes há ruído."),
    "swedish": ("cp1252", "Det är en väldigt bra film, jag såg den i går på bio.", "Jättebra!",
                "Maten smakade inte så bra – för mycket lök."),
    "polish": ("cp1250", "Żółta łódź płynęła, śliczna pogoda, źródło „ciszy” – było świetnie.",
               "Niestety obsługa była zła i się nie spieszyła.", "Zupa też była zimna, proszę pani."),
    "czech": ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy – „opravdu“ ano.", "Hezký večer přátelé.",
              "Jídlo bylo výborné a číšník milý."),
    "hungarian": ("cp1250", "Nagyon jó film, mindenkinek ajánlom, őszintén szép volt – köszönöm.",
                  "A szoba kicsi és a fürdő büdös.", "Túl drága, nem ér meg ennyit, főleg ősszel és esős időben."),
}  # fmt: skip
OTHERS = {"cp1252": ("cp850", "mac_roman"), "cp1250": ("iso8859-2", "cp852")}
"""Names of other encodings of the same languages, for lines that have several of their letters."""


@pytest.mark.parametrize("language", LINES)
def test_few_lines_of_a_language(language):
    encoding, *lines = LINES[language]
    for text in (*lines, "\n".join(lines), "\n".join([*lines, *lines[:2]]), "\n".join(lines * 40)):
        same(f"text,label\n{text}\n", encoding, "latin-1")
    for other in OTHERS[encoding]:
        text = "\n".join(lines * 5).encode(other, "ignore").decode(other)
        assert decode(text.encode(other)).text == text, other


@pytest.mark.shared
@pytest.mark.parametrize("name", ["text__sst2", "textreg__emobank", "text__tweet_emotion"])
def test_real_english_with_curly_apostrophes(shared, name):
    text = (shared / "data" / name / "train.csv").read_text("utf-8").encode("cp1252", "ignore").decode("cp1252")
    if not text.isascii():
        same(text, "cp1252", "latin-1")
    same(text.replace("'", "’"), "cp1252")
