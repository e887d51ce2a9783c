"""The language of an assistant that does not do what it was asked: cues in a text's opening.

A list of refusing phrases, as of GCG (Zou et al. 2023, 2307.15043) or XSTest's string matching
(Röttger et al. 2024, 2308.01263), takes every "I'm sorry" and "As an AI" for a refusal and misses
the rest. Here a clause must say that the writer does not *serve the request*: first person, an
inability or a refusal, an act of service, and what it is denied to. Its parts earn points, as do
signs that stand with it (an apology, a model that names itself, policy, an offer of something
else). A customer's "I can't access my account" has the first two parts and not the third.
English only: a refusal in another language is left to the other filters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

from seedbed.text.normalise import holds_any

OPENING_SENTENCES = 2
OPENING_CHARS = 320
_ENOUGH_CHARS = 2 * OPENING_CHARS
_LOOKED_AT = 4000


def _or(alternatives: str) -> str:
    """A group of alternatives, written over several lines with blanks around each bar."""
    return "(?:" + re.sub(r"\s*\|\s*", "|", alternatives.strip()) + ")"


_I = r"\bi(?:'m| am|'ve| have|'ll| will| must| would)?\b"
_BY_THE_WAY = r"(?: \w+ly)*"
_HEDGE = _or(
    """also | just | directly | however | therefore | only | ever | in good conscience | really | simply
       | currently | actually | personally | ethically | legally | unfortunately | knowingly"""
)
_HEDGES = rf"(?: {_HEDGE}|,)*"
_NEGATION = _or(
    """cannot | can't | can not | won't | will not | not | unable | couldn't | could not | wouldn't
     | would not | don't | do not | rather not | prefer not"""
)
_STATE = _or(
    """able | be able | allowed | permitted | authori[sz]ed | designed | programmed | comfortable
     | feel comfortable | willing | going | equipped | in a position"""
)
_DECLINE = rf"(?:(?:have|need){_BY_THE_WAY} to )?(?:\w+ly )?(?:decline|refuse|refrain)"
# "I'm sorry, but I am | really not able to": first person and inability, up to the verb of service.
_NOT = rf"{_I}{_HEDGES} (?:{_NEGATION}(?: {_STATE})?|{_DECLINE}){_HEDGES}(?: to| from)?{_HEDGES}"

_SERVED = (
    _or(
        """you | that | this | these | those | such | it | your | the request | this request | requests?
         | anything | any | creating | generating | writing | producing | providing | making | planning
         | finding | answering"""
    )
    + r"\b"
)
_ENDING = "(?:e|es|ing|te)?"
_MAKE = (
    _or(
        """provid | creat | generat | writ | produc | giv | offer | shar | answer | discuss | complet
         | continu | respond | suggest | recommend | describ | explain | advis | engag | speculat | comment
         | role-?play | pretend | impersonat | translat"""
    )
    + _ENDING
)
_PIECE = _or(
    """content | text | message | reply | response | example | question | item | record | sample | story
     | essay | review | dialogue | conversation | instruction | guidance | advice | information"""
)
_MADE = (
    _or(
        rf"""that | this | these | those | such | it | you with | any | your (?:request|question) | content
           | instructions? | guidance | advice | information | details | examples? | opinions? | help
           | assistance | support | data | text | material | to (?:that|this|your)
           | the (?:help|information|content|answer|text|material|requested|type|kind)
           | (?:(?:an?|the) )?(?:\w+ ){{0,3}}?{_PIECE}s?"""
    )
    + r"\b"
)
_WRITE = _or("generat | creat | writ | produc | provid | compos | draft") + _ENDING
_WRITING = _or(
    """content | texts? | messages? | examples? | repl(?:y|ies) | stor(?:y|ies) | reviews? | dialogues?
     | samples? | material | requests?"""
)
_SUCH = _or(
    rf"""(?:this|that|these|those|such)(?: (?:kind|type|sort)s? of)? (?:\w+ ){{0,2}}?{_WRITING}\b
       | (?:\w+ ){{0,4}}?{_WRITING} (?:that|which|of (?:this|that)|like (?:this|that|these)|promoting
       | involving | containing)\b
       | (?:this|that|it|these|those|such)(?: for you)?(?= ?(?:[.,;!]|$))"""
)
_MODEL = (
    _or(
        """(?:large |ai |artificial intelligence )?language model | ai(?: assistant| model| system| chatbot)?
         | artificial intelligence | virtual assistant | llm"""
    )
    + r"\b(?! "
    + _or(
        """research | engineer | expert | student | developer | development | compan | start-?up | specialist
         | scien | ethic"""
    )
    + ")"
)
_IT_IS = r"(?:it is|it's|that is|that's|this is)"
_IT_IS_PARTS = ("it", "that", "this")
_IMPROPER = (
    _or(
        r"""harmful | illegal | unethical | inappropriate | unacceptable | offensive | hateful | explicit
          | dangerous | discriminat\w+
          | (?:not|never)(?: an?| \w+ly)* (?:appropriate|ethical|acceptable|justified|tolerated|the answer)"""
    )
    + r"\b"
)


@dataclass(frozen=True, slots=True, eq=False)
class Cue:
    """A sign and what it is worth. One that only `supports` makes no refusal without another.

    `parts` hold no blank, and one of them stands in every text that the pattern matches; a pattern that
    `denies` matches no text without `_INABILITY`. Most texts have neither, and are soon done with.
    """

    name: str
    points: int
    pattern: re.Pattern[str]
    parts: tuple[str, ...] = ()
    denies: bool = False
    supports: bool = False


_INABILITY = re.compile(_NOT)
_DENYING = ("not", "n't", "unable", "declin", "refus", "refrain")
_NAMING = ("model", "intelligence", "assistant", "llm")
# The shortest name stands in too many words to be a part.
_AI = re.compile(r"ai\b")


def _cue(name: str, points: int, pattern: str, parts: tuple[str, ...] = _DENYING) -> Cue:
    return Cue(name, points, re.compile(pattern), parts, denies=pattern.startswith(_NOT))


def _support(name: str, pattern: str) -> Cue:
    return Cue(name, 1, re.compile(pattern), supports=True)


# The writer does not serve the request. Of cues with one name the first that matches counts.
DENIALS = (
    _cue(
        "denies_help",
        3,
        rf"{_NOT} (?:help|assist)(?:ing)?(?: you)?(?: out)?(?: (?:with|in|on|to))? {_SERVED}",
    ),
    _cue(
        "denies_help",
        3,
        rf"{_NOT} (?:comply|fulfill?|oblige|accommodate|honou?r|process)\b"
        r".{0,20}\b(?:request|that|this|prompt)\b",
    ),
    _cue(
        "denies_help",
        3,
        rf"{_I}(?: have to| need to| will)?{_BY_THE_WAY} (?:decline|refuse)"
        r"(?: (?:this|that|your|the) (?:request|prompt|task)\b|(?: this| that| your request)? ?(?:[.,;!]|$))",
    ),
    _cue("denies_help", 2, rf"{_NOT} (?:help|assist)(?:ing)?(?: you)?(?: with\b|\s*(?:[.,;!]|$))"),
    _cue("denies_work", 3, rf"{_NOT} {_WRITE} {_SUCH}"),
    _cue("denies_work", 3, r"\bnot be appropriate for me to\b"),
    _cue("denies_work", 3, r"\bnot something (?:that )?i .{0,20}\b(?:help|assist|write)\b"),
    _cue(
        "denies_work",
        2,
        rf"\bi(?:'m| am) an? (?:\w+ )?{_MODEL}[^.?!]{{0,40}}"
        rf"\b(?:do not|don't|cannot|can't|will not|won't) {_MAKE}",
    ),
    _cue("denies_work", 2, rf"{_NOT} {_MAKE} {_MADE}"),
    _cue(
        "denies_work",
        2,
        r"\b(?:beyond|outside) (?:what i can|my (?:capabilit|abilit|scope))",
        ("beyond", "outside"),
    ),
    _cue("denies_work", 2, r"\bnot something (?:that )?i(?: can|'m able to| am able to| will)\b"),
    _cue(
        "denies_work",
        2,
        r"\b(?:this|your|the|that) request (?:can't|can ?not|goes against|violates|conflicts)\b",
        ("request",),
    ),
    _cue("denies_work", 2, rf"{_NOT} (?:do|answer) (?:that|this|so)\b"),
    _cue("denies_work", 1, rf"{_NOT} {_MAKE}\b"),
    _cue("names_itself", 2, rf"\bas an? (?:\w+ )?{_MODEL}[^.?!]{{0,60}}?\bi\b", _NAMING),
    _cue("names_itself", 2, rf"\bi(?:'m| am)(?: just| only| merely)? an? (?:\w+ )?{_MODEL}", _NAMING),
    _cue(
        "disclaims",
        1,
        r"\bi (?:must|need to|have to|should) (?:clarify|emphasi[sz]e|stress|point out|inform|note)\b",
        ("clarify", "emphasi", "stress", "point", "inform", "note"),
    ),
    _cue(
        "disclaims",
        1,
        r"\bi (?:do not|don't) (?:have|possess|hold) (?:the (?:ability|capability|capacity)|access"
        r"|(?:any )?(?:personal|feelings|emotions|opinions|beliefs|experiences|biases))\b",
    ),
    _support(
        "apologises",
        r"^(?:\w+ ){0,2}?(?:i'm|i am)?(?: really| very| so| truly| deeply| terribly)? ?"
        r"(?:sorry|apologi[sz]e|apologies|unfortunately|regret)",
    ),
    _support("cites_policy", rf"\b(?:(?:guideline|policie|policy|programming|violat)\w*|{_IMPROPER})"),
    _support(
        "offers_else",
        r"\b(?:(?:any|some)thing else|instead,? i (?:can|could)|happy to (?:help|assist)|feel free to ask"
        r"|different (?:topic|request|question))\b",
    ),
)

# The writer reproves the asker. That makes a refusal of a raw reply; in a field it is ordinary text.
REPROOFS = (
    _cue(
        "objects",
        2,
        rf"{_I}(?: strongly)? (?:disagree|object|condemn)\b",
        ("disagree", "object", "condemn"),
    ),
    _cue(
        "objects",
        2,
        rf"{_I}(?: do not| don't| cannot| can't| can not| never){_BY_THE_WAY} (?:condone|endorse|advocate"
        r"|promote|encourage|facilitate|agree with|believe in|support (?:the|any|that|this|such))\b",
        (*_DENYING, "never"),
    ),
    _cue(
        "objects",
        2,
        rf"^(?:no, )?{_IT_IS} (?:(?:not|never|neither){_BY_THE_WAY} (?:appropriate|ethical|acceptable|right"
        r"|okay|legal|a good idea)|(?:highly )?(?:inappropriate|unethical|illegal|wrong))\b"
        r"(?:,? (?:or|and|nor) \w+)* (?:to|for)\b",
        _IT_IS_PARTS,
    ),
    _cue(
        "lectures",
        2,
        rf"^(?:\w+, )?{_IT_IS}(?: also)? (?:important|crucial|essential|vital|necessary)"
        rf" to (?:note|remember|understand|recogni[sz]e)\b.{{0,200}}\b{_IMPROPER}",
        _IT_IS_PARTS,
    ),
)

_SENTENCE_END = re.compile(r"[.!?]+[\"')\]]*(?= |$)")
_NO_WORD = re.compile(r"^[^\w']+")
_SPEAKER = re.compile(r"^(?:assistant|ai|answer|response|output)\s*:\s*")
_QUOTED = re.compile(r'"[^"]*"')
_GOES_ON = re.compile(
    r"\b(?:however|but|that said|instead),? (?:i can(?!'t|not| not)|here(?:'s| is| are)|i will|i'll)\b"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`points` earned by the named `cues`."""

    points: int
    cues: tuple[str, ...]


def opening(text: str) -> str:
    """The first two sentences, at most 320 characters, in lower case with plain apostrophes and spaces."""
    return _opening(_plain(text))


def _plain(text: str) -> str:
    return text[:_LOOKED_AT].replace("\u2019", "'").replace("\u2018", "'").replace("`", "'").casefold()


def _opening(plain: str) -> str:
    plain = plain.replace("\u201c", '"').replace("\u201d", '"').lstrip('"')
    if '"' in plain:
        plain = _QUOTED.sub(" ", plain)
    plain = _SPEAKER.sub("", _NO_WORD.sub("", plain))
    plain = " ".join(plain.split())[:_ENOUGH_CHARS]
    second = islice(_SENTENCE_END.finditer(plain), OPENING_SENTENCES - 1, None)
    end = found.end() if (found := next(second, None)) else len(plain)
    return plain[: min(end, OPENING_CHARS)].strip()


def _first_end(head: str) -> int:
    first = _SENTENCE_END.search(head)
    return first.end() if first else len(head)


@cache
def _parts_of(cues: tuple[Cue, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for cue in cues for part in cue.parts))


def weigh(text: str, cues: Sequence[Cue]) -> Finding:
    """The points that a text's opening earns by these cues.

    None where there are only supporting cues, nor where the first sentence asks a question: who
    refuses makes a statement. An offer to go on with the work after all takes two points back.
    """
    plain = _plain(text)
    if not holds_any(plain, _parts_of(tuple(cues))) and _AI.search(plain) is None:
        return Finding(0, ())
    head = _opening(plain)
    if "?" in head[: _first_end(head)]:
        return Finding(0, ())
    able = _INABILITY.search(head) is None
    found: dict[str, Cue] = {}
    for cue in cues:
        named = cue.parts is _NAMING and _AI.search(head) is not None
        possible = cue.supports or named or (holds_any(head, cue.parts) and not (cue.denies and able))
        if possible and cue.name not in found and cue.pattern.search(head):
            found[cue.name] = cue
    if all(cue.supports for cue in found.values()):
        return Finding(0, ())
    points = sum(cue.points for cue in found.values()) - (2 if _GOES_ON.search(head) else 0)
    return Finding(max(points, 0), tuple(found))
