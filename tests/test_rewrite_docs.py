"""A page that shows an old output is rewritten to what its commands print, and what that leaves is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs_pages import FirstRun, Servers
from tests.rewrite_docs import aligned, cut_alike, rewrite

NEW = "0f" * 12
OLD = "ab" * 12

PAGE = f"""<!-- file: made/{NEW} -->
```
drafts  129 = 100 accepted + 29 rejected
reason    drafts
not_json       7
too_long       1
a last line
```

```console
$ ls made
{{id}}
$ cat made/{{id}}
{{shown}}
```
"""
STALE = (
    "drafts  136 = 100 accepted + 36 rejected",
    "…",
    "not_json       5",
    "too_long       3",
    "gone: x",
    "a last …",
)
RIGHT = ("drafts  129 = 100 accepted + 29 rejected", "…", "not_json       7", "too_long       1", "a last …")


def test_a_stale_page_is_rewritten_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(id=OLD, shown="\n".join(STALE)), "utf-8")
    to_mend = []
    for folder in (tmp_path / "first", tmp_path / "again"):
        folder.mkdir()
        monkeypatch.chdir(folder)
        (tmp_path / "none" / "tickets").mkdir(parents=True, exist_ok=True)
        with Servers() as servers:
            to_mend.append(rewrite(page, FirstRun(tmp_path / "none"), servers, folder))
        assert page.read_text("utf-8") == PAGE.format(id=NEW, shown="\n".join(RIGHT))
    assert to_mend == [[(18, "nothing like it is printed: gone: x")], []]


def test_a_cut_covers_any_lines_and_a_gone_line_stands_alone() -> None:
    assert aligned(["one 1", "…", "two 2"], ["one 5", "three", "four", "two 6"]) == [
        (0, 0),
        (1, None),
        (2, 3),
    ]
    assert aligned(["one 1", "gone x y z"], ["one 5"]) == [(0, 0), (1, None)]
    assert aligned(["one 1"], ["one 5", "and more"]) == [(0, 0), (None, 1)]


@pytest.mark.parametrize(
    ("shown", "real", "made"),
    [
        ("text  A long …", "text  Another text that goes on", "text  Another text …"),
        ("read; … ok", "written; and so on; ok", "written; … ok"),
        ("calls: …", "calls: 12", "calls: …"),
    ],
)
def test_a_cut_within_a_line_stays(shown: str, real: str, made: str) -> None:
    assert cut_alike(shown, real) == made
