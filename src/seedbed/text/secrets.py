"""Secrets in a text: keys, tokens and passwords, by the form that their makers give them.

What is made by a service has a prefix and a length of its own. A password or a key of no known form is
one by the name that it is assigned to and by how random it looks. Words that stand in the place of a
secret (`changeme`, `<your key>`, `${TOKEN}`) are none.

Every pattern begins at a border or a literal and repeats in bounds or possessively, so that the time to
look through a text grows with its length alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from seedbed.text.spans import Span, apart

_FEWEST_CHARS = 8
_FEWEST_BITS_A_CHAR = 2.7
"""Shannon's entropy of the characters; that of 8 distinct ones is 3."""

# Kind, a part that a text without it lacks, and its form.
_TOKENS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, literal, re.compile(rf"(?<![A-Za-z0-9_-]){pattern}(?![A-Za-z0-9_-])"))
    for kind, literal, pattern in (
        ("aws_access_key", "AKIA", r"AKIA[A-Z2-7]{16}"),
        ("aws_access_key", "ASIA", r"ASIA[A-Z2-7]{16}"),
        ("github_token", "gh", r"gh[pousr]_[A-Za-z0-9]{36,255}+"),
        ("github_token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}+"),
        ("gitlab_token", "gl", r"gl(?:pat|dt|rt|ptt)-[\w-]{20,64}+"),
        ("slack_token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}+"),
        (
            "slack_webhook",
            "hooks.slack.com",
            r"https://hooks\.slack\.com/services/T[A-Z0-9]{6,14}/B[A-Z0-9]{6,14}/[A-Za-z0-9]{20,30}",
        ),
        ("stripe_key", "k_live_", r"[rs]k_live_[A-Za-z0-9]{16,250}+"),
        ("google_api_key", "AIza", r"AIza[\w-]{35}"),
        (
            "model_api_key",
            "sk-",
            r"sk-(?:(?:proj|svcacct|admin|ant-api\d\d|ant-admin\d\d|or-v1)-)?[\w-]{20,250}+",
        ),
        ("huggingface_token", "hf_", r"hf_[A-Za-z0-9]{30,60}+"),
        ("npm_token", "npm_", r"npm_[A-Za-z0-9]{36}"),
        ("pypi_token", "pypi-AgE", r"pypi-AgE[\w-]{50,500}+"),
        ("sendgrid_key", "SG.", r"SG\.[\w-]{22}\.[\w-]{43}"),
        ("twilio_key", "SK", r"SK[0-9a-f]{32}"),
        ("telegram_token", ":AA", r"\d{8,10}:AA[\w-]{33}"),
        ("json_web_token", "eyJ", r"eyJ[\w-]{8,2000}+\.eyJ[\w-]{8,8000}+\.[\w-]{16,1000}+"),
    )
)

_BEGIN_OF_KEY = re.compile(
    r"-----BEGIN (?:(?:RSA|DSA|EC|OPENSSH|ENCRYPTED|PGP) )?PRIVATE KEY(?: BLOCK)?-----"
    r"(?P<body>(?:[\s\\\"']{1,8}n?[A-Za-z0-9+/=]{16,100}+){0,400}+)"
)
_END_OF_KEY = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_LONGEST_KEY = 20_000
_PASSWORD_IN_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,30}+://(?P<user>[^\s:/@'\"<>]{0,100}+)"
    r":(?P<value>[^\s/@'\"<>]{3,200}+)@[\w.\[-]"
)
_NAMES = (
    r"pass(?:word|wd|phrase)|pwd|token|secret"
    r"|(?:secret|api|access|private|auth|account|encryption|signing)[_-]?key"
)
_ASSIGNED = re.compile(
    rf"(?<![\w-])[\w-]{{0,60}}?(?:{_NAMES})['\"]?"
    r"[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}"
    r"(?:(?P<quote>['\"])(?P<quoted>[^\s'\"]{8,200}+)(?P=quote)|(?P<bare>[^\s'\"`,;(){}\[\]<>]{8,200}+)(?![(\[]))",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"\bAuthorization['\"]?\s{0,3}[:=]\s{0,3}['\"]?(?:Bearer|Basic|token) {1,3}"
    r"(?P<value>[\w.~+/-]{16,2000}+=*)",
    re.IGNORECASE,
)
_STAND_IN = re.compile(
    r"example|change[_-]?me|placeholder|dummy|redacted|your|my[_-]|xxx|\*\*\*|\.\.\.|…|[<>{}]|\$\(|%\(|%s|^\$"
    r"|^env[:.]|environ|getenv|process\.env|secrets?\.|vault|null|none|1234|abcd|test|sample|fake|todo|insert",
    re.IGNORECASE,
)
# In so many random characters `test` or `none` stands by chance now and then.
_EXAMPLE_OF_TOKEN = re.compile(r"example|placeholder|your[_-]|x{4}", re.IGNORECASE)
_WORD_FOR_ONE = re.compile(r"pass(?:word|wd)?|pwd?|secret|token", re.IGNORECASE)
# A name, a path or a call of a program rather than what it stands for.
_REFERENCE = re.compile(r"[A-Za-z_][\w-]*(?:[./:][\w./:-]*)?")


def find_secrets(text: str) -> list[Span]:
    """Spans of secrets in order, none of which overlap; the kind says what each is a secret of."""
    finders = (_private_keys, _known_tokens, _passwords_in_urls, _authorised, _assigned)
    return apart(span for find in finders for span in find(text))


def _private_keys(text: str) -> Iterator[Span]:
    if "PRIVATE KEY" not in text:
        return
    for found in _BEGIN_OF_KEY.finditer(text):
        end = _END_OF_KEY.search(text, found.end(), found.end() + _LONGEST_KEY)
        if end and "-----BEGIN" not in text[found.end() : end.start()]:
            yield Span("private_key", found.start(), end.end())
        elif found["body"]:
            yield Span("private_key", *found.span())


def _known_tokens(text: str) -> Iterator[Span]:
    for kind, literal, pattern in _TOKENS:
        if literal not in text:
            continue
        for found in pattern.finditer(text):
            if _is_token(found[0]):
                yield Span(kind, *found.span())


def _is_token(value: str) -> bool:
    """As random as what a service gives out; a name of many words has no digit."""
    return (
        any(char.isdigit() for char in value)
        and not _EXAMPLE_OF_TOKEN.search(value)
        and _bits_a_char(value) >= _FEWEST_BITS_A_CHAR
    )


def _passwords_in_urls(text: str) -> Iterator[Span]:
    if "://" not in text or "@" not in text:
        return
    for found in _PASSWORD_IN_URL.finditer(text):
        value = found["value"]
        # What is the same as the user's name is what everybody has at home.
        if not _is_stand_in(value) and value != found["user"] and not _WORD_FOR_ONE.fullmatch(value):
            yield Span("password_in_url", *found.span("value"))


def _authorised(text: str) -> Iterator[Span]:
    if "authorization" not in text.lower():
        return
    for found in _BEARER.finditer(text):
        if _looks_random(found["value"]):
            yield Span("authorization", *found.span("value"))


def _assigned(text: str) -> Iterator[Span]:
    lowered = text.lower()
    if not any(part in lowered for part in ("pass", "pwd", "secret", "key", "token")):
        return
    for found in _ASSIGNED.finditer(text):
        group = "quoted" if found["quoted"] else "bare"
        value = found[group]
        # Without quotes a program would name another thing there, and a sentence would go on.
        is_name = group == "bare" and _REFERENCE.fullmatch(value) is not None and not _is_mixed(value)
        if _looks_random(value) and not is_name:
            yield Span("assigned_secret", *found.span(group))


def _looks_random(value: str) -> bool:
    """Letters with digits or marks between them, no stand-in, and no few characters over and over."""
    letters = sum(char.isalpha() for char in value)
    return (
        len(value) >= _FEWEST_CHARS
        and letters >= 2
        and any(char.isdigit() for char in value)
        and not _is_stand_in(value)
        and _bits_a_char(value) >= _FEWEST_BITS_A_CHAR
    )


def _is_mixed(value: str) -> bool:
    """Digits in more than one place: `token = parser2` is a name, `q7Zk3pX9` hardly one."""
    return len(re.findall(r"\d+", value)) > 1


def _is_stand_in(value: str) -> bool:
    return _STAND_IN.search(value) is not None


def _bits_a_char(value: str) -> float:
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
