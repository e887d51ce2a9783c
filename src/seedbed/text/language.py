"""Which language a text is in, and in which script.

py3langid tells 139 languages (a fork of langid.py, Lui and Baldwin 2012, aclanthology P12-3005): an extra,
imported at first use. What it says of a language that it does not know is another one's name, often with
confidence, so that it can only be asked whether a text is in one that it does know.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from string import ascii_letters
from typing import Any

# Of fewer letters nobody can tell.
SHORTEST = 20
_LETTERS = ascii_letters.encode()

_NAMES = """
ace Acehnese, af Afrikaans, am Amharic, an Aragonese, ar Arabic, as Assamese, az Azerbaijani, ba Bashkir, be
Belarusian, bg Bulgarian, bn Bengali, br Breton, bs Bosnian, ca Catalan, crh Crimean Tatar, cs Czech, cy
Welsh, da Danish, de German, el Greek, en English, eo Esperanto, es Spanish, et Estonian, eu Basque, fa
Persian, fi Finnish, fo Faroese, fr French, fy West Frisian, ga Irish, gd Scottish Gaelic, gl Galician, gu
Gujarati, gug Guarani, ha Hausa, he Hebrew, hi Hindi, hr Croatian, ht Haitian Creole, hu Hungarian, hy
Armenian, id Indonesian, ig Igbo, is Icelandic, it Italian, ja Japanese, jv Javanese, ka Georgian, kab
Kabyle, kik Kikuyu, kk Kazakh, km Khmer, kn Kannada, ko Korean, ku Kurdish, ky Kyrgyz, la Latin, lb
Luxembourgish, lg Ganda, lij Ligurian, ln Lingala, lo Lao, lt Lithuanian, ltg Latgalian, lv Latvian, mg
Malagasy, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay, mt Maltese, my Burmese, ne
Nepali, nl Dutch, nn Norwegian Nynorsk, no Norwegian, nso Northern Sotho, oc Occitan, om Oromo, or Odia, pa
Punjabi, pl Polish, ps Pashto, pt Portuguese, qu Quechua, ro Romanian, ru Russian, rw Kinyarwanda, sa
Sanskrit, se Northern Sami, si Sinhala, sk Slovak, sl Slovenian, sn Shona, so Somali, sq Albanian, sr
Serbian, st Sotho, sv Swedish, sw Swahili, ta Tamil, te Telugu, tg Tajik, th Thai, tk Turkmen, tl Tagalog,
tr Turkish, tt Tatar, ug Uyghur, uk Ukrainian, ur Urdu, uz Uzbek, vec Venetian, vi Vietnamese, wa Walloon,
xh Xhosa, yo Yoruba, yue Cantonese, zh Chinese, zu Zulu
"""
_CODES = {
    name.casefold(): code
    for code, _, name in (" ".join(entry.split()).partition(" ") for entry in _NAMES.split(","))
}


def code_of(language: str) -> str | None:
    """The code that `likely_languages` knows a language by, from its code or its English name."""
    said = language.strip().casefold()
    code = _CODES.get(said, said.partition("-")[0])
    return code if code in _CODES.values() else None


def can_identify() -> bool:
    """Whether the extra `language` is installed."""
    return find_spec("py3langid") is not None


def likely_languages(text: str) -> Mapping[str, float]:
    """Probabilities by code, the likeliest first; none where the text is too short. Needs the extra.

    A lone surrogate is read as `?`.
    """
    if _is_short(text):
        return {}
    return dict(_identifier().rank(_storable(text)))


def likeliest_languages(texts: Sequence[str]) -> list[str | None]:
    """The first of `likely_languages` of each text, None where it is too short: four times as fast."""
    from seedbed.text.language_walk import walk_of

    told = [at for at, text in enumerate(texts) if not _is_short(text)]
    found: list[str | None] = [None] * len(texts)
    for at, code in zip(
        told, walk_of(_identifier()).likeliest([_storable(texts[at]) for at in told]), strict=True
    ):
        found[at] = code
    return found


def _is_short(text: str) -> bool:
    if text.isascii():
        return len(text) - len(text.encode().translate(None, _LETTERS)) < SHORTEST
    return sum(map(str.isalpha, text)) < SHORTEST


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def scripts(text: str) -> Counter[str]:
    """How many letters of each script there are, by its Unicode name: LATIN, CYRILLIC, CJK, …"""
    return Counter(unicodedata.name(letter, "?").partition(" ")[0] for letter in text if letter.isalpha())


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
