"""Which letters beyond ASCII languages are written with, the most frequent first: encodings are told by them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import exp, log
from typing import Final, NamedTuple

LATIN: Final = "latin"
"""Letters beyond ASCII stand between those of ASCII."""
WHOLE: Final = "whole"
"""Whole words are beyond ASCII."""
SIGNS: Final = "signs"
"""Each sign is a syllable, a word or a part of one; two bytes or more."""

UPPER: Final = 0.06
"""Share of the letters that are capitals."""
MARK: Final = 0.003
"""Of each quote, dash and the like, among all that is beyond ASCII."""
OTHER: Final = 1e-5
"""Of each letter that the language does not have, and of other signs."""
WRONG: Final = 1e-8
"""Of each control character, and of what no character is."""
MARKS: Final = "“”„‘’‚«»–—…·•°€£§©®™´\u00a0¿¡№"
PLACED: Final = "±×÷¶²³½¼¾µºª¢"
"""Signs that are letters of many words in other encodings: as frequent as `MARKS` where they stand as signs do."""


class Alphabet(NamedTuple):
    """How likely characters beyond ASCII are in a language."""

    kind: str
    logs: Mapping[str, float]
    """Character -> logarithm of its share."""


#: Family of encodings -> letters of its languages, the most frequent first. The last of several is their mixture.
LETTERS: Final = {
    "western": (
        "üäößé", "éàèêçôâùîûœëïæ", "óíáéñúü", "ãçáéóêíõúâàô", "àèùòìéî", "äöåéü", "åøæéö", "íáðéúöóþýæ", "éëïöüèç",
        "àéèíóçòúïü", "éüäöáàèóíñçêãåøæßôâúîùòûëïœ",
    ),
    "central": (
        "łąężóśćńź", "íáéěřšžčýůúňťďó", "áíéčšýžúľťôňäďóĺŕ", "áéöóőüíúű", "čšžćđ", "ăîâşţșț",
        "áéíčšžłąęýóöěřćżăőüśńâîůúşţđňťďľôűź",
    ),
    "baltic": ("ėšžąųįūčę", "āīēšūņļžčģķ", "äõüöšž"),
    "turkish": ("ıüşçöğİâîû",),
    "cyrillic": (
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", "оаинвіетрсклдумпязьгйбчхцєїжшюфщґ", "аеоинтврслдкмупзбъгщйячжцшхфюьэё",
        "аоиеунтрвсдкјлмпгзбјшчжцћњљђхфџ",
    ),
    "greek": ("αοιτενσςρηπκυλμόίάέδήγωχύθώφβξζψϊϋΐΰ",),
    "hebrew": ("יוהלאר\u05eaבמשםנעדכחקפןטצגסזךףץ\u05b0\u05b7\u05b8\u05b6\u05b4\u05bc",),
    "arabic": ("اليمونرتبعدهسفكقأحجةشصخىطضإذزثءغظئؤآ،؟؛", "اینرمدهتوسبلکشزگخفعپقجچحطآصذضژغثظ،؟؛ي"),
    "thai": ("านรอก่เง้มยลวดทีัสิต์ะปบคหแ็ไจุพใูชขำโผซึืถธศฟฉณญภษฐฮฎฏฬฑฒฌฆฤๆฯ",),
    "vietnamese": ("đ\u0301\u0300\u0323ư\u0309ơêâôă\u0303áàéèóíúùò",),
}  # fmt: skip

FULL: Final = "，。！？、：；“”‘’（）《》「」『』…—～・ー　"
SIMPLIFIED: Final = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事"
    "成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已"
    "工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信"
    "酒店房服务住酒买吃钱便宜质量卖快"
)
TRADITIONAL: Final = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事"
    "成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已"
    "工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信"
)
KOREAN: Final = (
    "이다는에의가을하고지로도은한사리를기서어인자시나게해있대정수아일것들라그보만전스으여장니과부주원제상요공면동화습좋무거우"
    "구음영조내연선용성비중말세당신들생저때안모더없정경소할고했물재관추천방실오유었"
)
HIRAGANA: Final = "".join(map(chr, range(0x3041, 0x3097)))
KATAKANA: Final = "".join(map(chr, range(0x30A1, 0x30F7)))


@cache
def of(family: str) -> tuple[Alphabet, ...]:
    """The alphabets of a family's languages."""
    kind = LATIN if family in ("western", "central", "baltic", "turkish", "vietnamese") else WHOLE
    return tuple(Alphabet(kind, _shares(letters)) for letters in LETTERS[family])


def _shares(letters: str) -> dict[str, float]:
    """Letters fall off as an exponential of their rank does, which is near the truth for alphabets of any length."""
    scale = max(1.0, len(letters) / 4)
    ranked = {letter: exp(-rank / scale) for rank, letter in enumerate(letters)}
    total, found = sum(ranked.values()), dict.fromkeys(MARKS, log(MARK))
    for letter, share in ranked.items():
        capital = letter.upper()
        cased = capital != letter and len(capital) == 1
        found[letter] = log(share / total * (1 - UPPER if cased else 1))
        if cased:
            found.setdefault(capital, log(share / total * UPPER))
    if "ά" in ranked:  # ISO-8859-7 has a quote in its place, and sentences begin with it
        found["Ά"] = log(2 * MARK)
    return found


@cache
def signs(family: str) -> Alphabet:
    """The signs of a language that are frequent; how frequent others are, `share` tells."""
    found = dict.fromkeys(FULL, log(0.1 / len(FULL)))
    groups = {
        "simplified": ((SIMPLIFIED, 0.45),),
        "traditional": ((TRADITIONAL, 0.45),),
        "korean": ((KOREAN, 0.6),),
        "japanese": ((HIRAGANA, 0.5), (KATAKANA, 0.12)),
    }
    for letters, share in groups[family]:
        found |= dict.fromkeys(letters, log(share / len(letters)))
    return Alphabet(SIGNS, found)


#: Family -> an encoding whose first bytes say how usual a sign is, those of the usual ones, how likely each sign is.
LEVELS: Final = {
    "simplified": ("gb2312", 0xB0, 0xD7, 0.4 / 3755, 0.02 / 3008),
    "traditional": ("big5", 0xA4, 0xC6, 0.4 / 5401, 0.02 / 7652),
    "japanese": ("euc_jp", 0xB0, 0xCF, 0.25 / 2965, 0.01 / 3390),
    "korean": ("euc_kr", 0xB0, 0xC8, 0.3 / 2350, 0.001 / 4888),
}


def share(sign: str, family: str) -> float:
    """The logarithm of the share of a sign that is none of the frequent ones."""
    encoding, first, last, usual, rare = LEVELS[family]
    try:
        raw = sign.encode(encoding)
    except UnicodeEncodeError:
        return log(WRONG if not sign.isprintable() or "\ue000" <= sign <= "\uf8ff" else 1e-7)
    if len(raw) < 2 or not sign.isalpha():
        return log(OTHER)
    return log(usual if first <= raw[0] <= last else rare)
