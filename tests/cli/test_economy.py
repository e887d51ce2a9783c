"""What is asked again when something changes: only what the change is about."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.test_run import sometimes_bad
from tests.cli.workspace import Workspace, check_accounts
from tests.fake_endpoint import FakeEndpoint


def test_a_raised_target_revives_first_and_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".", "--target", "40")
        asked, ids = endpoint.stats().requests, workspace.accepted()
        second = workspace.run("run", ".", "--target", "70", "--json").json["accounts"]
        check_accounts(second)
        assert second["drafts"]["accepted"] == 70
        assert endpoint.stats().repeats_after_answered == 0
        # 30 more at seven in ten, and not the first 40 again.
        assert endpoint.stats().requests - asked < 30 / 0.7 * 1.5
        assert set(ids) <= set(workspace.accepted())


def test_a_lowered_target_turns_the_last_away_and_a_raised_one_takes_them_back(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".")
        asked, ids = endpoint.stats().requests, workspace.accepted()
        lowered = workspace.run("run", ".", "--target", "20", "--json").json["accounts"]
        check_accounts(lowered)
        assert lowered["drafts"]["accepted"] == 20
        assert lowered["drafts"]["rejected"]["over_target"] == 20
        assert workspace.run("run", ".", "--json").json["accounts"]["drafts"] == {
            "total": 40,
            "accepted": 40,
            "rejected": {},
            "failed": {},
            "pending": 0,
        }
        assert workspace.accepted() == ids
        assert endpoint.stats().requests == asked


def test_a_changed_filter_asks_nothing_for_what_is_logged(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".")
        asked = endpoint.stats().requests
        # Looser: nothing at all is asked.
        workspace.write(
            endpoint.url, filters=["default", "-refusal", {"near_duplicates": {"threshold": 0.95}}]
        )
        done = workspace.run("run", ".", "--json")
        assert "filters changed" in done.err
        assert done.json["accounts"]["drafts"]["accepted"] == 40
        assert endpoint.stats().requests == asked
        # Stricter: the same cells are judged anew, and only the top-up is asked.
        workspace.write(endpoint.url, filters=["default", {"length": {"max_chars": 110}}])
        accounts = workspace.run("run", ".", "--json", expect=None).json["accounts"]
        check_accounts(accounts)
        assert endpoint.stats().repeats_after_answered == 0


def test_one_more_real_row_asks_again_less_than_five_in_a_hundred(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".", "--target", "200")
        asked = endpoint.stats().requests
        data = tmp_path / "data" / "train.csv"
        with data.open(newline="", encoding="utf-8") as file:
            label = next(csv.DictReader(file))["category"]
        with data.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(["One more message that nobody had written down before today.", label])
        done = workspace.run("run", ".", "--target", "200", "--json")
        assert done.json["accounts"]["drafts"]["accepted"] == 200
        again = endpoint.stats().requests - asked
        assert 0 < again < 0.05 * asked
        assert "real data changed" in done.err


def test_another_model_shares_no_reply_and_another_budget_changes_nothing(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint, FakeEndpoint(model="other") as other:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".")
        asked = endpoint.stats().requests
        workspace.write(endpoint.url, budget={"requests": 9000})
        workspace.run("run", ".")
        assert endpoint.stats().requests == asked
        workspace.write(
            other.url, roles={"teacher": {"model": "other", "endpoint": other.url, "licence": "mit"}}
        )
        assert "teacher changed" in workspace.run("run", ".").err
        assert other.stats().answered == 40


def test_plan_says_what_is_logged_and_sends_nothing(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        plan = workspace.run("plan", ".", "--json").json
        assert (plan["cells"], plan["calls"], plan["logged"]) == (40, 40, 0)
        assert not workspace.run_folder.exists()
        assert endpoint.stats().requests == 0
        workspace.run("run", ".")
        assert workspace.run("plan", ".", "--json").json["calls"] == 0
        assert workspace.run("plan", ".", "--target", "60", "--json").json["calls"] == 20
        assert endpoint.stats().requests == 40
