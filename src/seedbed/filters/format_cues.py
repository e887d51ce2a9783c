"""What gives away that a reply was taken over with its wrapping: own wordings and patterns, in English.

Each looks at a bounded piece of the text, or scans it once: none can run for long on any text.
"""

from __future__ import annotations

import re

HEAD_CHARS, TAIL_CHARS = 240, 320


def _spaced(pattern: str) -> str:
    """For a verbose pattern, in which a bare space says nothing."""
    return pattern.replace(" ", "[ ]")


_OPENER = (
    r"(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|gladly|no problem|great|alright|understood"
    r"|happy to help|with pleasure|definitely)"
)
_ANNOUNCES = (
    r"(?:here(?:'s| is| are| you go)|below (?:is|are|you)|the following (?:is|are)|this is|that's"
    r"|i(?:'ve| have)? (?:wrote|written|created|drafted|generated|composed|prepared|made|came up|come up)"
    r"|you can use|how about|one (?:possible|example)|(?:a|an|one) (?:possible|example|sample|fitting))"
)
_PIECE = (
    r"(?:tickets?|messages?|texts?|examples?|samples?|e-?mails?|responses?|repl(?:y|ies)|answers?|versions?"
    r"|drafts?|reviews?|questions?|entr(?:y|ies)|records?|posts?|comments?|quer(?:y|ies)|instructions?|outputs?"
    r"|json|objects?|rewrites?|variations?|paragraphs?|sentences?|stor(?:y|ies)|descriptions?|items?|letters?"
    r"|complaints?|utterances?|dialogues?|cases?|ones?)"
)
# Of what the writer has at hand, a person says: "Here is the error message:".
_AT_HAND = r"(?!(?: [\w'-]+){0,8} (?:my|our|error|we|exact|attached|order|tracking|log|logs|issue|problem)\b)"

PREAMBLE = re.compile(
    rf"""^[\s"'*_]*(?:
      {_spaced(_OPENER)}\b[!,.:…\s–—-]*(?:{_spaced(_ANNOUNCES)}\b[^\n:]{{0,140}}(?::|\n)|\n)
    | (?:here(?:'s|\ is|\ are)|below\ (?:is|are)|the\ following\ (?:is|are))\b{_spaced(_AT_HAND)}
      (?:\ [\w'"-]+){{0,8}}?\ {_PIECE}\b[^\n:]{{0,80}}(?::|\n)
    | i(?:'ve|\ have)\ (?:written|created|drafted|generated|composed|prepared)\ [^\n:]{{0,100}}{_PIECE}\b
      [^\n:]{{0,60}}(?::|\n)
    | (?:assistant|generated|sample|example|synthetic|output|response|ai)
      (?:\ {_PIECE})?(?:\ \#?\d{{1,3}})?\s*:\s
    )""",
    re.VERBOSE,
)

_CHANGES = (
    r"(?:adjust|revis|modif|tweak|refin|rephras|rewrit|regenerat|variation"
    r"|another (?:one|example|version|message|text|ticket)|different (?:tone|style|version|angle|wording)"
    r"|more (?:examples?|messages?|tickets?|of (?:these|them|those))|(?:shorter|longer|make it))"
)
SIGN_OFF = re.compile(
    rf"""(?<=[\s(*_])(?:
      (?:let\ me\ know|tell\ me|feel\ free|do\ not\ hesitate|don't\ hesitate|just\ say|happy\ to|i\ can\ also
        |if\ you(?:'d|\ would)?\ (?:like|want|need|prefer))\b[^\n?!.]{{0,100}}
        \b{_spaced(_CHANGES)}[^\n]{{0,80}}
    | (?:i\ )?hope\ (?:this|that|it|these)\ (?:helps?|meets?|works?\ for|is\ what|fits?|match(?:es)?|suits?)
        \b[^\n]{{0,80}}
    | would\ you\ like\ (?:me\ to\ (?:write|generate|create|adjust|revise|make|rewrite|produce|give|change)
        |another|more|a\ different)\b[^\n]{{0,80}}
    | (?:please\ )?(?:note|explanation|disclaimer|rationale|reasoning)\ ?:\s[^\n]{{0,160}}
      \b(?:example|message|text|category|label|fictional|fictitious|generated|placeholder|tone|instructions?
        |requested|replace|names?)\b[^\n]{{0,120}}
    | this\ (?:message|text|example|ticket|response|version|one)\ (?:is\ written|was\ written|reflects|fits
        |demonstrates|belongs|avoids|illustrates|captures|conveys|follows|keeps|should\ fit)\b[^\n]{{0,140}}
    )[.!?)*_"'\s]*$""",
    re.VERBOSE,
)

# One of these stands in every text that the pattern before them matches: most texts are soon done with.
SIGN_OFF_PARTS = (
    "let me know", "tell me", "feel free", "hesitate", "just say", "happy to", "i can also", "if you",
    "hope ", "would you like", "note", "explanation", "disclaimer", "rationale", "reasoning",
    "this message", "this text", "this example", "this ticket", "this response", "this version", "this one",
)  # fmt: skip

_OF_SOMEBODY = (
    r"(?:your|insert|customer|client|company|product|user|recipient|sender|order|account|invoice|ticket"
    r"|agent|date|name|first|last|full|phone|email|e-mail|address|city|amount|number|link|url|topic|text|title)"
)
PLACEHOLDER = re.compile(
    rf"""\{{\{{[^{{}}\n]{{0,60}}\}}\}} | \{{%[^\n]{{0,60}}%\}}
    | \[(?:{_OF_SOMEBODY}(?:'s)?(?:[\ _-][\w'-]+){{0,4}})\]
    | <(?:{_OF_SOMEBODY}(?:'s)?(?:[\ _-][\w'-]+){{1,4}}|(?:insert|your)[^<>\n]{{0,40}}|NAME|DATE|EMAIL)>
    | (?<![{{\w]) \{{(?:{_OF_SOMEBODY}(?:[_\ -]\w+){{0,3}})\}}(?![}}\w])
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Apart, because case matters: any word may stand in brackets, but not in capitals.
CAPITALS = re.compile(r"\[[A-Z][A-Z0-9]{2,}(?:[ _-][A-Z0-9]+){0,4}\]")

CONTROL_TOKEN = re.compile(
    r"<\|[a-z_]{2,24}\|>|\[/?INST\]|<</?SYS>>|</?think(?:ing)?>|<(?:start|end)_of_turn>|<\uff5c[^\n>]{1,30}\uff5c>"
)

BOILERPLATE = re.compile(
    r"\b(?:as|i am|i'm|am just|being) (?:just |only )?an? (?:\w+ )?(?:(?:large |ai )?language model"
    r"|ai assistant|ai model|ai chatbot|llm|virtual assistant)\b(?! (?:research|engineer|develop))"
    r"|\bmy (?:knowledge cut-?off|training data|training cut-?off|last (?:knowledge )?update)\b"
    r"|\bi (?:was|am|'m) (?:trained|developed|created) by (?:openai|anthropic|google|meta|mistral|alibaba)\b"
)
BOILERPLATE_PARTS = (
    "model", "assistant", "chatbot", "llm", "knowledge cut", "training data", "training cut", "my last ",
    "trained by", "developed by", "created by",
)  # fmt: skip

WHOLE_FENCE = re.compile(r"\A\s*(?:```|~~~).*(?:```|~~~)\s*\Z", re.DOTALL)
FENCE_LINE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)

MARKDOWN = re.compile(
    r"^ {0,3}#{1,6} \S|\*\*[^*\s][^*\n]{0,160}\*\*|\[[^\]\n]{1,100}\]\(https?://|^ {0,3}\|[^\n]{1,300}\|[ ]*$"
    r"|^ {0,3}(?:```|~~~)|^ {0,3}> \S",
    re.MULTILINE,
)
BULLET = re.compile(r"^ {0,6}[-*+•] \S", re.MULTILINE)
