"""Rows are redacted as they are read: everywhere in a row, alike in a run, and nothing is left behind."""

from __future__ import annotations

import json
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import SourceError
from seedbed.sources.chunks import Chunking
from seedbed.sources.material import load_chunks
from seedbed.sources.readers import read_rows
from seedbed.sources.redaction import Redaction
from seedbed.sources.spec import SourceSpec
from seedbed.sources.split import split_source
from tests.filters.pipelines import pipeline_of_names

EMAIL, IBAN, CARD = "ada@brightmail.net", "GB29 NWBK 6016 1331 9268 19", 4532015112830366
KEY_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIB\n" * 12


def source(
    folder: Path, *rows: Mapping[str, Any], kinds: str = "email iban card", **redaction: Any
) -> SourceSpec:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    columns = tuple(redaction.pop("columns", ()))
    return SourceSpec(
        "seeds",
        path,
        compare=("text",),
        redaction=Redaction(tuple(kinds.split()), columns, None, folder / ".seedbed" / "a.key"),
        **redaction,
    )


def values(spec: SourceSpec) -> list[Mapping[str, Any]]:
    return [row.values for row in read_rows(spec)]


def test_every_value_of_a_row_is_redacted_however_deep(tmp_path: Path) -> None:
    row = {
        "text": f"I am {EMAIL}",
        "turns": [{"role": "user", "content": IBAN}],
        "n": CARD,
        "ok": True,
        "x": 1.5,
    }
    counts: Counter[str] = Counter()
    (read,) = read_rows(source(tmp_path, row), redacted=counts)
    said = json.dumps(dict(read.values))
    assert EMAIL not in said
    assert "NWBK" not in said
    assert str(CARD) not in said
    assert read.values["text"].startswith("I am ")
    assert "@example." in read.values["text"]
    assert isinstance(read.values["n"], int)
    assert (read.values["ok"], read.values["x"]) == (True, 1.5)
    assert counts == {"email": 1, "iban": 1, "card": 1}


def test_equal_values_stay_equal_across_rows_and_readings(tmp_path: Path) -> None:
    spec = source(tmp_path, {"text": EMAIL}, {"text": EMAIL.upper()}, {"text": "bob@brightmail.net"})
    one, same, other = (row["text"] for row in values(spec))
    assert one == same != other
    assert [row["text"] for row in values(spec)] == [one, same, other]


def test_another_key_gives_other_surrogates_and_the_key_is_the_owners_alone(tmp_path: Path) -> None:
    spec = source(tmp_path, {"text": EMAIL})
    before = values(spec)
    key = tmp_path / ".seedbed" / "a.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert (key.parent / ".gitignore").read_text("ascii") == "*\n"
    key.unlink()
    assert values(spec) != before
    key.write_text("no key", "utf-8")
    with pytest.raises(SourceError, match=r"a\.key: no key of 64 hexadecimal digits; delete it"):
        values(spec)


def test_the_key_of_a_row_comes_from_what_is_left_of_it(tmp_path: Path) -> None:
    plain = SourceSpec("seeds", tmp_path / "rows.jsonl", compare=("text",))
    redacted = source(tmp_path, {"text": EMAIL})
    assert [row.key for row in read_rows(plain)] != [row.key for row in read_rows(redacted)]
    again = tmp_path / "again"
    again.mkdir()
    surrogate = values(redacted)[0]
    (again / "rows.jsonl").write_text(json.dumps(surrogate), "utf-8")
    read = SourceSpec("seeds", again / "rows.jsonl", compare=("text",))
    assert [row.key for row in read_rows(read)] == [row.key for row in read_rows(redacted)]


def test_a_sensitive_value_is_replaced_whole_and_where_else_it_stands(tmp_path: Path) -> None:
    row = {
        "name": "Maria Lopez",
        "account": 48211,
        "text": "maria lopez here, account 48211, code 482110",
        "tier": "no",
    }
    (read,) = values(source(tmp_path, row, kinds="", columns=["name", "account", "tier"]))
    assert read["name"] != "Maria Lopez"
    assert len(read["name"]) == len("Maria Lopez")
    assert isinstance(read["account"], int)
    assert (
        read["text"].casefold()
        == f"{read['name']} here, account {read['account']:05d}, code 482110".casefold()
    )


def test_a_short_sensitive_value_is_replaced_in_its_own_column_alone(tmp_path: Path) -> None:
    (read,) = values(source(tmp_path, {"vip": "yes", "text": "yes, I did"}, kinds="", columns=["vip"]))
    assert read["vip"] != "yes"
    assert read["text"] == "yes, I did"


def test_a_sensitive_address_gets_a_reserved_one(tmp_path: Path) -> None:
    (read,) = values(source(tmp_path, {"mail": EMAIL, "text": f"it is {EMAIL}"}, kinds="", columns=["mail"]))
    assert "@example." in read["mail"]
    assert read["text"] == f"it is {read['mail']}"


def test_a_sensitive_column_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="custmer"):
        values(source(tmp_path, {"text": "a", "customer": "b"}, columns=["custmer"]))


def test_persons_are_replaced_through_a_pipeline(tmp_path: Path) -> None:
    model = pipeline_of_names(tmp_path / "names", PERSON="Maria Lopez")
    spec = source(tmp_path, {"text": "I am Maria Lopez."}, {"text": "Dear Maria Lopez, hello"})
    redaction = Redaction(("person",), (), model, tmp_path / "a.key")
    one, other = (row["text"] for row in values(replace(spec, redaction=redaction)))
    assert "Lopez" not in one + other
    assert one.removeprefix("I am ").removesuffix(".") in other


def test_both_sides_of_a_split_are_redacted_alike_and_counted_once_for_all(tmp_path: Path) -> None:
    rows = [
        {"text": f"message {n} about {word} from {EMAIL}"}
        for n, word in enumerate(["rain", "sun", "snow", "wind", "hail", "fog", "heat", "frost"] * 3)
    ]
    spec = source(tmp_path, *rows)
    for _ in range(2):  # the second time from the files of the first
        files = split_source(spec, {"eval": 0.5}, 0, tmp_path / "split")
        assert files.redacted == {"email": 24}
    assert files.eval_path is not None
    written = files.train.read_text("utf-8") + files.eval_path.read_text("utf-8")
    assert EMAIL not in written
    assert written.count("@example.") == 24
    lines = files.train.read_text("utf-8").splitlines()
    assert values(files.source(spec, "train")) == [json.loads(line) for line in lines]


def test_documents_are_redacted_before_they_are_cut(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(f"# Contact\n\nWrite to {EMAIL}.", "utf-8")
    redaction = Redaction(("email",), (), None, tmp_path / "a.key")
    counts: Counter[str] = Counter()
    chunks = load_chunks(
        SourceSpec("docs", tmp_path / "docs", redaction=redaction), Chunking(), redacted=counts
    )
    assert "@example." in chunks[0].fields["text"]
    assert EMAIL not in chunks[0].fields["text"]
    assert counts == {"email": 1}


def test_chunks_that_hold_any_part_of_a_secret_are_left_out(tmp_path: Path) -> None:
    begin, end = (f"-----{word} PRIVATE" + " KEY-----" for word in ("BEGIN", "END"))
    (tmp_path / "a.py").write_text(
        f'def low():\n    return 1\n\n\nKEY = """{begin}\n{KEY_BODY}{end}"""\n', "utf-8"
    )
    (tmp_path / "b.py").write_text("def high():\n    return 2\n", "utf-8")
    spec = SourceSpec("seeds", tmp_path / "*.py", format="text")
    counts: Counter[str] = Counter()
    left = load_chunks(spec, Chunking(lines=4), drop_secrets=True, redacted=counts)
    assert [chunk.fields["text"].split("(")[0] for chunk in left] == ["def low", "def high"]
    assert counts == {"secret": len(load_chunks(spec, Chunking(lines=4))) - 2}
    assert counts["secret"] > 2


def test_documents_that_are_nothing_but_secrets_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("API_KEY = '" + "q7Zk3pX9vB2nM5tR" + "'\n", "utf-8")
    with pytest.raises(SourceError, match="every chunk holds a secret"):
        load_chunks(SourceSpec("seeds", tmp_path / "*.py", format="text"), Chunking(), drop_secrets=True)
