"""What planted faults look like: the wordings and the ways of spoiling a reply.

All wordings are apart from any filter's patterns: what a filter catches it has not been told.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence

# Some apologise, some do not.
REFUSALS = (
    "Sorry, but writing this kind of message is not something I am able to do.",
    "I'm sorry, I can't produce an example like that.",
    "I apologise, but I cannot help with creating this text.",
    "Unfortunately I am unable to generate content for this category.",
    "I won't be able to write that for you.",
    "I must decline to write this one.",
    "As a language model I don't write messages of this sort.",
    "My apologies: this request falls outside what I can assist with.",
    "I am not comfortable producing this text, so I will leave it out.",
    "I can't assist with that request.",
    "This is not a request that I can fulfil.",
    "I'm afraid I can't do what you ask here.",
    "Sorry, I'm not able to comply with this instruction.",
    "I regret that I cannot provide the text you asked for.",
    "As an AI assistant, I have to refuse to make up this example.",
    "I do not feel able to create such an example, and would rather not try.",
    "It would not be appropriate for me to write this, so I have to say no.",
    "I'm sorry, but as an AI I cannot invent a message on behalf of a person.",
    "I cannot in good conscience generate this entry.",
    "Apologies, but my guidelines do not allow me to answer this.",
)

_PROSE = (
    "I hope this is what you were looking for. Let me know if another one is needed!",
    "Note: replace {name} by the customer's name where it fits.",
    "This example is written in a natural tone and avoids repeating the ones above.",
    "Would you like me to write a few more variations of it?",
    "Explanation: {the message names no category, yet it can only belong to one}.",
)

_SOME_KNOWN = 5
_NUMBER = re.compile(r"\d+")
_EXPECTED = re.compile(r" == .+$", re.MULTILINE)

_MARKS = ".,;:!?)"
_INFLECTED = re.compile(r"[^\W\d_]{4,}[.,;:!?)]*")
_ENDINGS = ("ing", "ed", "s")

_REPLACEMENTS = (
    *("rather", "quite", "indeed", "meanwhile", "somehow", "again", "instead", "perhaps", "mostly", "still"),
    *("simply", "later", "already", "once", "even", "also", "nearly", "often", "just", "otherwise"),
)


def with_prose(reply: str, rng: random.Random) -> str:
    return f"{reply}\n\n{rng.choice(_PROSE)}"


def cut(reply: str, lost: float) -> str:
    """The reply less the given share of its end: at least one character goes and one stays."""
    return reply[: min(len(reply) - 1, max(1, round(len(reply) * (1 - lost))))]


def miscounted(number: str, rng: random.Random) -> str:
    """A whole number as one gets it wrong: off by a little, by a carry, or with two digits swapped."""
    value = int(number)
    swapped = int(number[:-2] + number[-1] + number[-2]) if len(number) > 1 else value
    return str(
        rng.choice([value + 1, value - 1, value + 10, value * 10, swapped if swapped != value else value + 9])
    )


def misprogrammed(program: str) -> str:
    """The program with another number where it returns."""
    body, returned, result = program.rpartition("return ")
    return body + returned + _NUMBER.sub(lambda number: str(int(number[0]) + 50), result)


def idle_tests(tests: str) -> str:
    """Tests that anything passes which gives something: of each `assert … == …` the left side is enough."""
    return _EXPECTED.sub(" is not None", tests)


def edited(words: Sequence[str], share: float, rng: random.Random) -> tuple[list[str], float]:
    """The words with about `share` of them replaced, dropped or doubled up, and the share in fact.

    At least one word changes, so that an edited copy is never a verbatim one.
    """
    count = max(1, int(share * len(words)))
    chosen = set(rng.sample(range(len(words)), count))
    changed: list[str] = []
    for at, word in enumerate(words):
        if at not in chosen:
            changed.append(word)
            continue
        # Dropping the only word would leave nothing to copy.
        way = rng.choice(("replace", "insert", "drop")) if len(words) > 1 else "replace"
        if way != "drop":
            changed.append(rng.choice([other for other in _REPLACEMENTS if other != word.casefold()]))
        if way == "insert":
            changed.append(word)
    return changed or [rng.choice(_REPLACEMENTS)], round(count / len(words), 3)


def reordered(words: Sequence[str], together: float, rng: random.Random) -> tuple[list[str], float]:
    """The words in another order, in pieces of about so many, and how many stay together in fact."""
    width = max(1, min(round(together), len(words) // 2))
    pieces = [words[at : at + width] for at in range(0, len(words), width)]
    order = list(range(len(pieces)))
    rng.shuffle(order)
    if order == sorted(order):
        order.reverse()
    return [word for at in order for word in pieces[at]], float(width)


def inflected(words: Sequence[str], share: float, rng: random.Random) -> tuple[list[str], float]:
    """The words with about `share` of them in another form, as English has them, and the share in fact."""
    able = [at for at, word in enumerate(words) if _INFLECTED.fullmatch(word)]
    chosen = set(rng.sample(able, min(len(able), max(1, round(share * len(words))))))
    changed = [_in_another_form(word, rng) if at in chosen else word for at, word in enumerate(words)]
    return changed, round(len(chosen) / max(1, len(words)), 3)


# The ways in which a copy is not verbatim, by variant.
REWORDINGS = {"edited": edited, "reordered": reordered, "inflected": inflected}


def _in_another_form(word: str, rng: random.Random) -> str:
    letters = word.rstrip(_MARKS)
    stem = next((letters.removesuffix(end) for end in _ENDINGS if letters.endswith(end)), letters)
    return rng.choice([stem + end for end in (*_ENDINGS, "") if stem + end != letters]) + word[len(letters) :]


# What a message could say, by its language.
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "German": (
        "Ich habe gestern dort angerufen, aber niemand konnte mir weiterhelfen.",
        "Bitte sagen Sie mir, wann ich mit einer Antwort rechnen darf.",
        "Das Gerät ist schon zum zweiten Mal kaputt gegangen.",
        "Wir möchten wissen, warum der Betrag nicht stimmt.",
    ),
    "Spanish": (
        "Llevo tres semanas esperando y todavía no me han contestado nada.",
        "¿Podrían decirme cuándo se va a solucionar este problema?",
        "La pantalla se apaga sola cada vez que quiero entrar.",
        "Creo que me han cobrado dos veces por el mismo servicio.",
    ),
    "Polish": (
        "Od wczoraj nie mogę otworzyć strony i nie wiem, co zrobić.",
        "Proszę o pilną odpowiedź, ponieważ czekam już dwa tygodnie.",
        "Wydaje mi się, że na rachunku jest jakiś błąd.",
        "Czy można jeszcze zmienić termin dostawy na przyszły tydzień?",
    ),
    "Finnish": (
        "En ole saanut mitään vastausta, vaikka kirjoitin jo viime viikolla.",
        "Voisitteko kertoa, milloin asia saadaan kuntoon?",
        "Laite sammuu aina itsestään, kun yritän avata sen.",
        "Haluaisin muuttaa osoitteen ennen kuin paketti lähetetään.",
    ),
}


def foreign_words(known: Iterable[str], rng: random.Random) -> list[str]:
    """Sentences of a language, one of the two that share the fewest words with those that are known."""
    words = {word.casefold() for text in known for word in text.split()}

    def shared(language: str) -> int:
        return len(words & {word.casefold() for said in SENTENCES[language] for word in said.split()})

    language = rng.choice(sorted(SENTENCES, key=shared)[:2])
    return " ".join(rng.sample(SENTENCES[language], len(SENTENCES[language]))).split()


# (before the text, after it), by way of wrapping: usual wordings, then unusual ones.
Wrapping = tuple[str, str]
WRAPPINGS: Mapping[str, tuple[tuple[Wrapping, ...], tuple[Wrapping, ...]]] = {
    "preamble": (
        (
            ("Here is the message:\n\n", ""),
            ("Sure! Here's a new message for you:\n", ""),
            ("Certainly, here is one example:\n\n", ""),
            ("Here is a realistic text that fits the category:\n", ""),
            ("Of course. Below is what such a person might write:\n\n", ""),
            ("Here's another one with a different situation:\n", ""),
        ),
        (
            ("Understood, writing as requested.\n\n", ""),
            ("One text, in the tone you described:\n\n", ""),
            ("My suggestion for this slot: ", ""),
            ("Okay, thinking about who could send this... ", ""),
        ),
    ),
    "sign_off": (
        (
            ("", "\n\nLet me know if you would like another version!"),
            ("", "\n\nI hope this is what you were looking for."),
            ("", "\n\nWould you like me to write a few more variations of it?"),
            ("", "\n\nFeel free to adjust the details."),
            ("", "\n\nNote: the names in this example are fictional."),
        ),
        (
            ("", "\n\n(Written to fit the category, as asked.)"),
            ("", "\n\nThat should cover the case you described."),
            ("", "\n\nShall I go on with the next?"),
        ),
    ),
    "placeholder": (
        (
            ("", " [Your Name]"),
            ("", " {{customer_name}}"),
            ("Dear [COMPANY NAME], ", ""),
            ("", " It was [insert date here]."),
            ("", " Regards, {name}"),
        ),
        (("", " Regards, XXXX"), ("", " My number is ____."), ("", " (name of the person)")),
    ),
    "fence": (
        (("```\n", "\n```"), ("```text\n", "\n```")),
        (("", "\n```"), ("'''\n", "\n'''")),
    ),
    "boilerplate": (
        (
            ("As an AI language model, I imagine it like this. ", ""),
            ("", " I am an AI assistant and wrote this from my training data."),
        ),
        (("Not being human, I can only guess. ", ""), ("", " This was put together by a machine.")),
    ),
    "control_token": (
        (("", "<|im_end|>"), ("<|assistant|>", ""), ("", " [/INST]"), ("</think>", "")),
        (("", "</s>"), ("### Response: ", "")),
    ),
}


def wrapped(text: str, variant: str, strength: float, rng: random.Random) -> str:
    before, after = rng.choice(WRAPPINGS[variant][strength >= 0.5])
    return before + text + after


def with_phrase(words: Sequence[str], phrase: str, variant: str, rng: random.Random) -> str:
    """The words with the phrase put in between two of them, after the first."""
    if variant == "capitals":
        phrase = phrase.upper()
    if variant == "spaced":
        parts = phrase.split()
        phrase = rng.choice((" - ", "  ", ", ")).join(parts) if len(parts) > 1 else f"({phrase})"
    at = rng.randint(1, max(1, len(words) - 1))
    return " ".join([*words[:at], phrase, *words[at:]])


def put_in(text: str, value: str, rng: random.Random) -> str:
    """The text with the value between two of its words, after the first."""
    words = text.split(" ")
    at = rng.randint(1, max(1, len(words) - 1))
    return " ".join([*words[:at], value, *words[at:]])


def with_memory(
    own: Sequence[str], known: Sequence[Sequence[str]], share: float, rng: random.Random
) -> list[str]:
    """The beginning and the end of a text, and between them this share of one of some known ones.

    It is the longest of a few, for of a short one nothing long can be remembered.
    """
    longest = max(rng.sample(known, min(_SOME_KNOWN, len(known))), key=len)
    count = max(1, round(share * len(longest)))
    start = rng.randrange(len(longest) - count + 1)
    quarter = 1 + len(own) // 4
    return [*own[:quarter], *longest[start : start + count], *own[-quarter:]]
