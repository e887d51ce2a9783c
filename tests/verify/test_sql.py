"""Queries run on rows that go with them; what reaches for anything else, or for too much, gets nowhere."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

from seedbed.verify.outcome import PASSED
from seedbed.verify.sql import Database

LAMPS = """
CREATE TABLE lamps (id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(8, 2), shop INTEGER);
INSERT INTO lamps VALUES (1, 'desk', 19.5, 1), (2, 'floor', 80, 2), (3, 'wall', 19.5, 2);
INSERT INTO lamps VALUES (4, 'hall', NULL, 1);
"""


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    database = Database("duckdb", LAMPS)
    yield database
    database.close()


@pytest.mark.parametrize(
    ("query", "expected", "reason"),
    [
        ("SELECT name FROM lamps WHERE price < 50", None, ""),
        ("SELECT name FROM lamps WHERE price < 50", "SELECT name FROM lamps WHERE price = 19.5", ""),
        ("SELECT name FROM lamps WHERE price < 50", "SELECT name FROM lamps WHERE id <> 2", "wrong_rows"),
        ("SELECT id FROM lamps ORDER BY id DESC", "SELECT id FROM lamps", ""),
        ("SELECT id FROM lamps ORDER BY id DESC", "SELECT id FROM lamps ORDER BY -id", ""),
        ("SELECT id FROM lamps", "SELECT id FROM lamps ORDER BY id DESC", "wrong_order"),
        ("SELECT id FROM lamps ORDER BY id", "SELECT id FROM lamps ORDER BY id DESC", "other_order"),
        ("SELECT shop FROM lamps", "SELECT DISTINCT shop FROM lamps", "wrong_rows"),
        ("SELECT id, name FROM lamps", "SELECT name, id FROM lamps", "wrong_rows"),
        ("SELECT sum(price) / 3 FROM lamps", "SELECT avg(price) FROM lamps", ""),
        ("SELECT 3.0", "SELECT 3", ""),
        ("SELECT 3.1", "SELECT 3", "wrong_rows"),
        ("SELECT NULL", "SELECT 0", "wrong_rows"),
        ("SELECT 'NaN'::DOUBLE, 'inf'::DOUBLE", "SELECT 'NaN'::DOUBLE, 'inf'::DOUBLE", ""),
        ("SELECT [1, 2], DATE '2024-02-29'", "SELECT [1, 2], DATE '2024-02-29'", ""),
        ("WITH cheap AS (SELECT * FROM lamps) SELECT count(*) FROM cheap UNION SELECT 4", "SELECT 4", ""),
        ("SELECT 1 FROM lamps WHERE id > 9", "SELECT name FROM lamps WHERE id < 0", "no_rows"),
        ("SELECT nam FROM lamps", None, "does_not_run"),
        ("SELECT * FROM lamp", None, "does_not_run"),
        ("SELECT FROM WHERE", None, "invalid_sql"),
        ("Here is the query: SELECT 1", None, "invalid_sql"),
        ("", None, "not_a_query"),
        ("SELECT 1; SELECT 2", None, "not_a_query"),
        ("SELECT 1", "SELECT nam FROM lamps", "expected_does_not_run"),
        ("SELECT * FROM range(20000)", None, "too_many_rows"),
    ],
)
def test_a_query_runs_and_gives_the_rows_of_the_expected_one(
    query: str, expected: str | None, reason: str, database: Database
) -> None:
    undecided = ("other_order", "no_rows", "expected_does_not_run", "too_many_rows")
    found = database.check(query, expected)
    assert found.reason == reason
    assert found.finding == ("passed" if not reason else "undecided" if reason in undecided else "failed")


def test_evidence_shows_rows_that_are_missing_and_too_many(database: Database) -> None:
    found = database.check("SELECT 1, 'a'", "SELECT id, name FROM lamps WHERE id < 3")
    assert found.evidence == {
        "rows": 1,
        "expected_rows": 2,
        "missing": ['[1, "desk"]', '[2, "floor"]'],
        "too_many": ['[1, "a"]'],
    }


def test_tables_of_the_record_come_on_top_and_are_gone_with_it(database: Database) -> None:
    own = "CREATE TABLE shops (id INT, town TEXT); INSERT INTO shops VALUES (1, 'Bremen'), (2, 'Emden')"
    join = "SELECT town FROM lamps JOIN shops ON shops.id = shop WHERE name = 'desk'"
    assert database.check(join, "SELECT 'Bremen'", own) == PASSED
    assert database.check(join).reason == "does_not_run"
    assert database.check("SELECT 1", None, "CREATE TABLE lamps (id INT)").reason == "setup_does_not_run"
    assert database.check("SELECT 1", None, "DROP TABLE lamps").reason == "setup_does_more"


def test_another_dialect_is_translated_and_what_is_not_is_undecided() -> None:
    setup = "CREATE TABLE `t` (`id` INT AUTO_INCREMENT PRIMARY KEY, `n` VARCHAR(9)) ENGINE=InnoDB; "
    mysql = Database("mysql", f"{setup} INSERT INTO `t` VALUES (1, 'a'), (2, NULL)")
    try:
        assert mysql.check("SELECT IFNULL(`n`, 'x') FROM `t` LIMIT 0, 1", "SELECT 'a'") == PASSED
        assert mysql.check("SELECT `m` FROM `t`").reason == "does_not_run"
        assert mysql.check("SELECT UUID_TO_BIN(`n`) FROM `t`").reason == "does_not_run_here"
    finally:
        mysql.close()


HOSTILE = {
    "SELECT * FROM read_csv('/etc/passwd')": "reaches_outside",
    "SELECT * FROM read_text('/etc/passwd')": "reaches_outside",
    "SELECT * FROM read_parquet('http://127.0.0.1:9/x')": "reaches_outside",
    "SELECT * FROM glob('/*')": "reaches_outside",
    "SELECT * FROM '/etc/passwd'": "does_not_run",
    "SELECT * FROM sqlite_scan('/tmp/x', 't')": "does_not_run",
    "SELECT getenv('HOME')": "does_not_run",
    "COPY lamps TO '{folder}/out.csv'": "not_a_query",
    "COPY (SELECT 1) TO '{folder}/out.csv'": "not_a_query",
    "EXPORT DATABASE '{folder}/out'": "invalid_sql",
    "ATTACH '{folder}/out.db' AS other": "not_a_query",
    "INSTALL httpfs": "not_a_query",
    "LOAD httpfs": "not_a_query",
    "SET enable_external_access = true": "not_a_query",
    "PRAGMA memory_limit = '8GB'": "not_a_query",
    "CALL pragma_version()": "not_a_query",
    "DROP TABLE lamps": "not_a_query",
    "WITH gone AS (DELETE FROM lamps RETURNING *) SELECT * FROM gone": "not_a_query",
    "SELECT 1; COPY lamps TO '{folder}/out.csv'": "not_a_query",
    "SELECT * INTO other FROM lamps": "not_a_query",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r": "out_of_time",
    "SELECT count(*) FROM range(9999999) a, range(9999999) b WHERE a.range * b.range = 3": "out_of_time",
    "SELECT list(range) FROM range(1000000000)": "out_of_memory",
    "SELECT repeat('x', 2000000000)": "out_of_memory",
    "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)": "out_of_memory",
    "SELECT " + "(" * 3_000 + "1" + ")" * 3_000: "too_deep",
}


@pytest.fixture(scope="module")
def hurried() -> Iterator[Database]:
    database = Database("duckdb", LAMPS, seconds=1.5)
    yield database
    database.close()


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_hostile_gets_through_and_the_next_query_is_answered(
    query: str, hurried: Database, tmp_path: Path
) -> None:
    began = time.monotonic()
    found = hurried.check(query.format(folder=tmp_path))
    assert found.reason == HOSTILE[query]
    assert found.finding == (
        "undecided" if found.reason in ("out_of_time", "out_of_memory", "too_deep") else "failed"
    )
    assert time.monotonic() - began < 15
    assert [*tmp_path.iterdir()] == []
    assert hurried.check("SELECT count(*) FROM lamps", "SELECT 4") == PASSED


RAW = [
    query for query in HOSTILE if HOSTILE[query] in ("not_a_query", "invalid_sql") and "folder" in query
] + [
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET memory_limit = '8GB'",
    "SET temp_directory = '/tmp'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "CREATE TABLE t AS SELECT * FROM read_text('/etc/passwd')",
]


@pytest.mark.parametrize("statement", RAW)
def test_the_database_is_locked_down_also_where_the_parser_would_let_a_statement_through(
    statement: str, tmp_path: Path
) -> None:
    import duckdb

    from seedbed.verify.sql_queries import open_database

    database = open_database()
    database.execute("CREATE TABLE lamps AS SELECT 1")
    with pytest.raises(duckdb.Error, match=r"disabled|locked|Permission|Invalid Input"):
        database.execute(statement.format(folder=tmp_path))
    database.close()
    assert [*tmp_path.iterdir()] == []


def test_a_pickled_database_answers_and_duckdb_is_imported_in_its_process_alone(database: Database) -> None:
    copy = pickle.loads(pickle.dumps(database))
    try:
        assert copy.check("SELECT count(*) FROM lamps", "SELECT 4") == PASSED
    finally:
        copy.close()
    code = (
        "import sys; from seedbed.verify.sql import Database; database = Database('duckdb');"
        "print(database.check('SELECT 1').finding, 'duckdb' in sys.modules); database.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["passed", "False"]
