"""The runner: one JSON line a demonstration, the document, and what the switches do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.evidence.datasets import REPOSITORIES, ROOT
from benchmarks.evidence.demonstration import Demonstration, Setting
from benchmarks.evidence.plot import Plot
from benchmarks.evidence.product import seedbed_expecting
from benchmarks.evidence.runner import chosen, chosen_part, run, switched_on

BOUNDS = "[A]\nfound = {is = 3}\n[B]\nfound = {is = 3}\n"
COMMIT = "0123abcd"


def demonstration(name: str) -> Demonstration:
    """Finds three of something; none where the part under proof is off."""

    def measure(setting: Setting) -> Mapping[str, Any]:
        (setting.folder / "worked-here").touch()
        return {"found": 0 if setting.broken else 3, "seen": [1, 2]}

    return Demonstration(name, f"finds {name}", "It finds.", "nothing is found", ("gsm8k",), measure)


A, B = demonstration("A"), demonstration("B")


@pytest.fixture
def bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bounds for A and B, and a data folder that has the set they name."""
    (tmp_path / "sets" / "gsm8k").mkdir(parents=True)
    (tmp_path / "sets" / "gsm8k" / "SOURCE_COMMIT").write_text(f"{COMMIT} 2021-11-19\n")
    monkeypatch.setenv("SEEDBED_REAL_DATA", str(tmp_path / "sets"))
    path = tmp_path / "expected.toml"
    path.write_text(BOUNDS)
    return path


def hold(
    *demonstrations: Demonstration, bounds: Path, document: Path | None = None, broken: bool = False
) -> bool:
    return run(
        demonstrations,
        broken=broken,
        full=False,
        document=document,
        order=["A", "B"],
        expected_file=bounds,
    )


def test_stdout_is_one_json_line_each(bounds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hold(A, B, bounds=bounds)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"id": name, "figures": {"found": 3, "seen": [1, 2]}, "holds": True} for name in "AB"]


def test_what_does_not_hold_says_so(bounds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not hold(A, bounds=bounds, broken=True)
    said = capsys.readouterr()
    assert json.loads(said.out)["holds"] is False
    assert "found = 0, expected is 3" in said.err


def test_missing_data_never_holds(
    bounds: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBED_REAL_DATA", str(bounds.parent / "nowhere"))
    assert not hold(A, bounds=bounds)
    said = capsys.readouterr()
    assert json.loads(said.out) == {"id": "A", "figures": {}, "holds": False}
    assert "gsm8k is not at" in said.err


def test_a_command_that_fails_never_holds(
    bounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(setting: Setting) -> Mapping[str, Any]:
        return {"found": seedbed_expecting((0,), "report", setting.folder / "no-such-run").value}

    failing = Demonstration("A", "fails", "It fails.", "nothing", ("gsm8k",), measure)
    assert not hold(failing, bounds=bounds, document=tmp_path / "evidence.md")
    said = capsys.readouterr()
    assert json.loads(said.out) == {"id": "A", "figures": {}, "holds": False}
    assert "ended with 2, expected (0,)" in said.err
    assert not (tmp_path / "evidence.md").exists()


def test_the_document_names_data_figures_and_command(bounds: Path, tmp_path: Path) -> None:
    document = tmp_path / "docs" / "evidence.md"
    hold(A, bounds=bounds, document=document)
    text = document.read_text()
    assert f"{REPOSITORIES['gsm8k']} at `{COMMIT}`" in text
    assert "| found | 3 | is 3 |" in text
    assert "`make evidence D=A`" in text


def test_the_document_says_what_was_expected(bounds: Path, tmp_path: Path) -> None:
    bounds.write_text("[A]\nfound = {within = [3, 1]}\nseen = {is = [1, 2]}\n")
    document = tmp_path / "evidence.md"
    hold(A, bounds=bounds, document=document)
    text = document.read_text()
    assert "| found | 3 | within 1 of 3 |" in text
    assert "| seen | 1, 2 | is 1, 2 |" in text


def test_the_document_shows_the_charts_of_the_figures(bounds: Path, tmp_path: Path) -> None:
    def plots(figures: Mapping[str, Any]) -> list[Plot]:
        return [Plot("found", f"It found {figures['found']}.", f"<svg>{figures['found']}</svg>")]

    document = tmp_path / "evidence.md"
    hold(replace(A, plots=plots), bounds=bounds, document=document)
    assert "\n![It found 3.](evidence/found.svg)\n" in document.read_text()
    assert (tmp_path / "evidence" / "found.svg").read_text() == "<svg>3</svg>"


def test_the_document_keeps_the_sections_of_others(bounds: Path, tmp_path: Path) -> None:
    document = tmp_path / "evidence.md"
    hold(B, bounds=bounds, document=document)
    hold(A, bounds=bounds, document=document)
    once = document.read_text()
    assert once.index("## A: ") < once.index("## B: ")
    hold(B, A, bounds=bounds, document=document)
    assert document.read_text() == once


def test_a_broken_run_leaves_the_document_alone(bounds: Path, tmp_path: Path) -> None:
    document = tmp_path / "evidence.md"
    hold(A, bounds=bounds, document=document, broken=True)
    assert not document.exists()


@pytest.mark.parametrize(
    ("arguments", "d", "names"),
    [
        ([], "", ["A", "D-main"]),
        ([], "d-main", ["D-main"]),
        ([], "main", ["D-main"]),
        (["a"], "D-main", ["A"]),
        ([], "D-main, A", ["D-main", "A"]),
    ],
)
def test_names_choose(arguments: list[str], d: str, names: list[str]) -> None:
    known = {"A": A, "D-main": demonstration("D-main")}
    assert [entry.id for entry in chosen(known, arguments, {"D": d})] == names


def test_an_unknown_name_is_an_error_that_lists_the_known() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.evidence", "D99"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "there are: D1, D2, D3, D-main, D4, intents, D5, sft, D6, D7, D8, variety" in done.stderr


def test_a_part_is_measured_and_judged_alone(
    bounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(setting: Setting) -> Mapping[str, Any]:
        return setting.steps({name: lambda folder: {"found": 0 if setting.broken else 3} for name in "xy"})

    whole = Demonstration("A", "finds", "It finds.", "nothing", ("gsm8k",), measure, parts=("x", "y"))
    bounds.write_text('[A]\n"x.found" = {is = 3}\n"y.found" = {is = 4}\n')
    document = tmp_path / "evidence.md"
    outcomes = [
        run(
            [whole],
            broken=broken,
            full=False,
            document=document,
            order=["A"],
            expected_file=bounds,
            part=part,
        )
        for part, broken in (("x", False), ("x", True), ("y", False))
    ]
    assert outcomes == [True, False, False]
    assert not document.exists()  # its section is about the whole
    figures = [json.loads(line)["figures"] for line in capsys.readouterr().out.splitlines()]
    assert [list(entry) for entry in figures] == [["x"], ["x"], ["y"]]
    assert chosen_part([whole], {"PART": "y"}) == "y"
    for entry, said in ((whole, "there are: x, y"), (A, "it has none")):
        with pytest.raises(KeyError, match=said):
            chosen_part([entry], {"PART": "z"})


@pytest.mark.parametrize(("value", "on"), [("1", True), ("yes", True), ("", False), ("0", False)])
def test_switches(value: str, on: bool) -> None:
    assert switched_on({"BREAK": value}, "BREAK") is on
    assert not switched_on({}, "BREAK")


def test_the_long_form_measures_a_finished_step_once(tmp_path: Path) -> None:
    times: list[Path] = []

    def measure(folder: Path) -> dict[str, Any]:
        times.append(folder)
        return {"n": len(times)}

    full = Setting(tmp_path, full=True)
    assert [full.step("one", measure), full.step("two", measure), full.step("one", measure)] == [
        {"n": 1},
        {"n": 2},
        {"n": 1},
    ]
    assert Setting(tmp_path).step("one", measure) == {"n": 3}
