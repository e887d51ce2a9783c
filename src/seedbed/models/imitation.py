"""Text that resembles a few examples and repeats none: what a teacher that is no model can write.

A text is a walk over the examples. It takes two to four words of one, goes on in another that has
the last word in common (a first-order Markov step), and where none has it puts in an invented
detail: a name, a place, a time. So most words stay those of the examples, and a classifier can
learn from them, but five in a row are seldom those of one example. And every nine words at the
latest stands one that no other text has, such as a reference number: five shingles of five words
hold it, which keeps the Jaccard similarity of two texts well below one half whatever else they share.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from seedbed.core.hashing import seed_from

LONGEST_RUN = 4
UNIQUE_EVERY = 9
SHORTEST_TEXT = 9
MOST_ROWS = 48
_REPEATED = 0.4

# Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words: each character is one.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\s{_UNSPACED}]+")
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_ENDINGS = ".!?。！？"
_EDGES = ".,;:!?。，！？\"'()[]«»„“”"


def _listed(words: str, between: str = " ") -> list[str]:
    return words.split(between)


# People and places that do not exist, so that no text speaks of a real one.
_GIVEN = _listed(
    "Ilvane Toreth Maribo Quenda Osmer Felka Brisa Jorvin Nessaly Dargan Avenka Lomir Pethra Sundo "
    "Wiska Corbel Yandri Halve Zorina Ketill"
)
_FAMILY = _listed(
    "Torrick Vanselow Ashgrove Pellimar Droscher Okonvale Brandeth Sorrenby Lindqvar Mastrano Fenwell "
    "Garrowby Hesselund Quillane Ravnstrup Tambury"
)
_PLACES = _listed(
    "Brellmoor Ostwick Carrowdene Fallsgate Nyborough Lindhaven Westerquay Tallowfield Grenmark Saltmere "
    "Highfold Dunvarra Kestwold Merrowby Alderport"
)
_MONTHS = _listed("January February March April May June July August September October November December")
_CODE_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"

_SUBJECTS = _listed(
    "the second part; our small group; a neighbour of mine; the older version; this whole matter; "
    "the first draft; everyone involved; the usual plan; my colleague; the note on the door; "
    "a short visit; the larger half; the person in charge; one of the two; the written answer; "
    "the next step; our common idea; the remaining part; that earlier choice; somebody nearby",
    between="; ",
)
_VERBS = _listed(
    "changed; started again; was moved; took longer; came back; stayed open; turned out well; "
    "was mentioned; had to wait; went ahead; was explained; made sense; was left out; helped a lot; "
    "fell through; got easier; was counted twice; needed a second look; was agreed; came first",
    between="; ",
)
_TAILS = _listed(
    "after a long talk; without much effort; for the third time; before anyone noticed; in plain words; "
    "despite the weather; during the morning; under a new name; because of the date; as we had hoped; "
    "with very little paper; on the way home; beside the main hall; at the last moment; in the end; "
    "against good advice; once the room was quiet; while the list grew; as a kind of test; by hand",
    between="; ",
)


def words_of(text: str) -> list[str]:
    """The words of a text with their punctuation; single characters in scripts without spaces."""
    return _WORD.findall(text)


def joined(words: Sequence[str]) -> str:
    """The inverse of `words_of`, up to the kind of white space."""
    parts: list[str] = []
    for word in words:
        if parts and not (_is_unspaced(word) and _is_unspaced(parts[-1])):
            parts.append(" ")
        parts.append(word)
    return "".join(parts)


def _is_unspaced(word: str) -> bool:
    return _UNSPACED_CHARACTER.match(word[-1]) is not None


def shingles(words: Iterable[str], size: int) -> frozenset[tuple[str, ...]]:
    """Every `size` words in a row, without case and punctuation; all words where there are fewer."""
    plain = [word.strip(_EDGES).casefold() or word for word in words]
    return frozenset(tuple(plain[at : at + size]) for at in range(max(1, len(plain) - size + 1)))


@lru_cache(maxsize=8192)
def _example_shingles(text: str) -> frozenset[tuple[str, ...]]:
    return shingles(words_of(text), 3)


def repeats(text: str, examples: Iterable[str]) -> bool:
    """Whether a text shares so many three-word runs with one example that it would be a near copy.

    Three words are stricter than the five by which near duplicates are usually told.
    """
    own = shingles(words_of(text), 3)
    for example in examples:
        other = _example_shingles(example)
        shared = len(own & other)
        if shared and shared / len(own | other) >= _REPEATED:
            return True
    return False


def imitate(examples: Sequence[str], mention: Sequence[str], rng: random.Random) -> str:
    """A new text about as long as one of the examples, in their words, with `mention` worked in.

    It depends on the arguments and the state of `rng` alone. Without an example that has words
    it is a few neutral sentences around the words to mention.
    """
    rows = [words for example in _some(examples, rng) if (words := words_of(example))]
    if not rows:
        return neutral(mention, rng)
    model = rng.choice(rows)
    length = max(SHORTEST_TEXT, round(len(model) * rng.uniform(0.85, 1.25)))
    # Long values are instructions to a writer rather than words of a text.
    mentioned = [words_of(value) for value in mention if len(value) <= 40 and rng.random() < 0.5]
    words = _walk(rows, length, mentioned, rng)
    return joined(_ended(words, model))


def _some(examples: Sequence[str], rng: random.Random) -> Sequence[str]:
    if len(examples) <= MOST_ROWS:
        return examples
    return rng.sample(examples, MOST_ROWS)


def _walk(
    rows: Sequence[Sequence[str]], length: int, mention: list[list[str]], rng: random.Random
) -> list[str]:
    places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, row in enumerate(rows):
        for at, word in enumerate(row[:-1]):
            places[word.casefold()].append((number, at + 1))
    words: list[str] = []
    unique_at = rng.randint(3, 5)
    number, at = _anywhere(rows, rng)
    while len(words) < length:
        run = rows[number][at : at + min(rng.randint(2, LONGEST_RUN), unique_at - len(words))]
        words += run
        onward = [place for place in places[run[-1].casefold()] if place[0] != number]
        if len(words) >= unique_at:
            words.append(_unique(rng))
            unique_at = len(words) + rng.randint(6, UNIQUE_EVERY - 1)
        elif onward and rng.random() < 0.8:
            number, at = rng.choice(onward)
            continue
        else:
            words += mention.pop() if mention else words_of(rng.choice(_DETAILS)(rng))
        number, at = _anywhere(rows, rng)
        unique_at = max(unique_at, len(words) + 1)
    return words


def _anywhere(rows: Sequence[Sequence[str]], rng: random.Random) -> tuple[int, int]:
    number = rng.randrange(len(rows))
    return number, rng.randrange(max(1, len(rows[number]) - 1))


def _ended(words: list[str], model: Sequence[str]) -> list[str]:
    """Capital and full stop as the example has them that gave the length."""
    words = list(words)
    if model[0][0].isupper():
        words[0] = words[0][0].upper() + words[0][1:]
    ending = model[-1][-1]
    words[-1] = (words[-1].rstrip(_EDGES) or words[-1]) + (ending if ending in _ENDINGS else "")
    return words


def neutral(mention: Sequence[str], rng: random.Random) -> str:
    """Two to four plain sentences about nothing in particular, around the words to mention."""
    sentences = []
    for _ in range(rng.randint(2, 4)):
        subject, verb, tail = rng.choice(_SUBJECTS), rng.choice(_VERBS), rng.choice(_TAILS)
        detail = rng.choice(_DETAILS)(rng)
        parts = rng.choice(([subject, verb, detail, tail], [tail, detail, subject, verb]))
        parts.insert(rng.randint(1, 3), _unique(rng))
        sentences.append(parts)
    for value in mention:
        sentence = rng.choice(sentences)
        sentence.insert(rng.randrange(1, len(sentence)), value)
    return " ".join(_sentence(parts) for parts in sentences)


DECOYS = 60


@lru_cache(maxsize=8)
def decoys(seed: int) -> tuple[str, ...]:
    """Invented rows for a rehearsal's eval lock, so that a leak can be planted of no row of the eval."""
    return tuple(neutral((), random.Random(seed_from("decoy", seed, number))) for number in range(DECOYS))


def invented(rng: random.Random) -> str:
    """A person or place to write for, who does not exist: one of 4,800."""
    return f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)} from {rng.choice(_PLACES)}"


def _sentence(parts: Sequence[str]) -> str:
    text = " ".join(parts)
    return text[0].upper() + text[1:] + "."


def _unique(rng: random.Random) -> str:
    """One word that no two texts share, but for a chance below one in 100,000 for each pair."""
    number = rng.randrange(100_000, 1_000_000)
    letters = "".join(rng.choices(_CODE_LETTERS, k=3))
    return rng.choice((f"{letters}-{number}", f"{number // 100}.{number % 100:02d}", f"#{number}"))


_DETAILS: tuple[Callable[[random.Random], str], ...] = (
    lambda rng: f"with {rng.choice(_GIVEN)} {rng.choice(_FAMILY)}",
    lambda rng: f"in {rng.choice(_PLACES)}",
    lambda rng: f"at {rng.randrange(24)}:{rng.randrange(60):02d}",
    lambda rng: f"on {rng.randrange(1, 29)} {rng.choice(_MONTHS)}",
    lambda rng: f"since {rng.choice(_MONTHS)}",
    lambda rng: f"via {rng.choice(_PLACES)}",
    lambda rng: f"says {rng.choice(_GIVEN)}",
    lambda rng: f"for {rng.randrange(2, 90)} days",
)
