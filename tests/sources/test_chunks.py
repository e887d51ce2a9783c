"""Chunks hold every line of a document once, keep to their size, and end where a section ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.chat import CHARACTERS_A_TOKEN
from seedbed.core.errors import SourceError
from seedbed.sources.chunks import Chunking
from seedbed.sources.material import load_chunks, load_unlabelled
from seedbed.sources.spec import SourceSpec

HANDBOOK = """Opening words.

# Leave

Ask two weeks ahead.

```
# not a heading
```

Expenses
--------

Keep every receipt.
"""

WORDS = st.lists(st.sampled_from(["one", "two.", "three", "# four", "====", "", "```"]), max_size=60)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(WORDS, st.integers(20, 40), st.sampled_from(["heading", "paragraph"]))
def test_chunks_hold_all_of_a_document_and_keep_to_their_size(words: list[str], tokens: int, by: str) -> None:
    text = "\n".join(words)
    chunks = list(Chunking(tokens=tokens, by=by).chunks(text))  # type: ignore[arg-type]
    assert squeezed("".join(chunk.text for chunk in chunks)) == squeezed(text)
    assert all(len(chunk.text) <= tokens * CHARACTERS_A_TOKEN for chunk in chunks)


@given(WORDS, st.integers(1, 7))
def test_chunks_of_lines(words: list[str], lines: int) -> None:
    text = "\n".join(words)
    chunks = list(Chunking(lines=lines).chunks(text))
    assert squeezed("".join(chunk.text for chunk in chunks)) == squeezed(text)
    assert all(chunk.text.count("\n") < lines for chunk in chunks)


def test_a_chunk_stays_within_its_section_and_knows_its_heading() -> None:
    chunks = list(Chunking().chunks(HANDBOOK))
    assert [chunk.heading for chunk in chunks] == ["", "Leave", "Expenses"]
    assert "# not a heading" in chunks[1].text
    assert chunks[2].text.endswith("Keep every receipt.")
    (whole,) = Chunking(by="paragraph").chunks(HANDBOOK)
    assert whole.text.startswith("Opening words.")


def test_a_passage_more_leaves_the_ids_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HANDBOOK, "utf-8")
    spec = SourceSpec("handbook", tmp_path, format="text")
    before = load_chunks(spec, Chunking())
    assert [record.fields["document"] for record in before] == ["a.md"] * 3
    (tmp_path / "a.md").write_text("# New\n\nAt the top.\n\n" + HANDBOOK, "utf-8")
    (tmp_path / "b.md").write_text(HANDBOOK, "utf-8")
    after = load_chunks(spec, Chunking())
    ids = {record.id for record in after}
    assert len(ids) == len(after) == 6
    assert {record.id for record in before[1:]} <= ids


def test_rows_without_a_label_have_the_fields_that_their_file_has(tmp_path: Path) -> None:
    file = tmp_path / "inbox.csv"
    file.write_text("body,when\nHello there,now\nGood bye,then\n", "utf-8")
    rows = load_unlabelled(SourceSpec("inbox", file, columns={"text": "body"}), ("text",))
    assert [dict(row.fields) for row in rows] == [{"text": "Hello there"}, {"text": "Good bye"}]
    with pytest.raises(SourceError, match="no column 'text'; there are: 'body', 'when'"):
        load_unlabelled(SourceSpec("inbox", file), ("text",))


def test_documents_without_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text("\n", "utf-8")
    with pytest.raises(SourceError, match="empty"):
        load_chunks(SourceSpec("docs", tmp_path, format="text"), Chunking())
