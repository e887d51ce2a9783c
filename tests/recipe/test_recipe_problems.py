"""What is refused: every mistake at its line, all at once, and none that only follows from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recipe.fake_registry import Fail, Load

TASK = "task: {kind: classification, input: text, label: team, labels: [a, b]}\n"
SHORTEST = "name: tickets\n" + TASK

MANY_MISTAKES = """\
name: ../escape
task: {kind: classification, input: text, lable: team}
sources:
  real: {path: data/nowhere.csv}
  eval: {path: data/test.csv, lock: "yes"}
roles:
  teacher:
    model: m
    endpoint: env:NO_SUCH_VARIABLE
    api_key: sk-live-1234
  jugde: {model: m}
generate:
  targts: 500
  axes:
    tone: []
    draw: [x]
  methods: {templat: 1}
  temperature: [0.5, hot]
  templates: [prompts/a.j2, prompts/c.j2]
filters: [default, -spam, {near_duplicates: {treshold: 0.7}}]
mix: {synthetic: 75}
student: clasifier
budget: {requests: 0}
export: [jsonl, parquet]
gates: {leaks: 0}
targets: 5
targets: 6
"""


def test_all_mistakes_at_once_each_at_its_line(folder: Path, fail: Fail) -> None:
    problems = fail(MANY_MISTAKES)
    assert {problem.file for problem in problems} == {str(folder / "recipe.yaml")}
    assert [(problem.line, problem.key) for problem in problems] == [
        (1, "name"),
        (2, "task.lable"),
        (2, "task.label"),
        (4, "sources.real.path"),
        (5, "sources.eval.lock"),
        (9, "roles.teacher.endpoint"),
        (10, "roles.teacher.api_key"),
        (11, "roles.jugde"),
        (13, "generate.targts"),
        (15, "generate.axes.tone"),
        (16, "generate.axes.draw"),
        (17, "generate.methods.templat"),
        (18, "generate.temperature[1]"),
        (19, "generate.templates[1]"),
        (20, "filters[1]"),
        (20, "filters[2].near_duplicates.treshold"),
        (21, "mix.synthetic"),
        (22, "student"),
        (23, "budget.requests"),
        (24, "export[1]"),
        (25, "gates"),
        (26, "targets"),
        (27, ""),
    ]
    assert "sk-live" not in "".join(map(str, problems))


def test_the_nearest_known_key_is_offered(fail: Fail) -> None:
    (problem,) = fail(SHORTEST + "generate:\n  seed: 1\n  targts: 500\n")
    assert problem.line == 5
    assert problem.message == "unknown key 'targts'; did you mean 'target'?"


def test_a_mistyped_key_causes_no_second_error(fail: Fail) -> None:
    """With `target` mistyped the default target is not what the user meant the cover to fit in."""
    (problem,) = fail(SHORTEST + "generate: {targts: 900, cover: {team: {a: 700, b: fill}}}\n")
    assert problem.key == "generate.targts"


# (what stands in the recipe, key of the only problem, part of its message)
SINGLE = [
    # what is not built is not known
    ("review: {fraction: 0.02}", "review", "unknown key 'review'"),
    ("extends: other.yaml", "extends", "no such recipe"),
    ("budget: {money: 40}", "budget.money", "unknown key 'money'; there are: requests, cost, tokens"),
    ("sources: {real: {path: data/train.csv, redact: [emial]}}", "sources.real.redact[0]", "'email'"),
    (
        "sources: {real: {path: data/train.csv, secrets: drop}}",
        "sources.real.secrets",
        "chunks are dropped, and this source has none",
    ),
    (
        "sources: {real: {path: data/train.csv, names: {model: x}}}",
        "sources.real.names",
        "none is redacted; write redact: [person]",
    ),
    (
        "sources: {real: {path: data/train.csv, sensitive: [id, text]}}",
        "sources.real.sensitive[1]",
        "take personal data out of it with redact",
    ),
    # units
    ("budget: {time: 6}", "budget.time", "such as 6h, 1h30m or 90s, not 6; write the unit: 6s, 6m or 6h"),
    ("budget: {time: soon}", "budget.time", "must be a duration such as 6h, 1h30m or 90s, not 'soon'"),
    ("budget: {time: 30m1h}", "budget.time", "must be a duration"),
    ("budget: {time: 0s}", "budget.time", "must be longer than nothing, not '0s'"),
    ("budget: {disk: 512}", "budget.disk", "not 512; write the unit: 512MB or 512GB"),
    ("budget: {disk: 512Mb}", "budget.disk", "must be a size such as 512MB or 2GiB, not '512Mb'"),
    ('budget: {disk: "\\ud800"}', "budget.disk", r"must be a size such as 512MB or 2GiB, not '\ud800'"),
    ("budget: {disk: 0.3B}", "budget.disk", "must be a whole number of bytes"),
    ("budget: {cost: 0}", "budget.cost", "must be more than 0, not 0"),
    ("roles: {teacher: {model: m, endpoint: 'http://x/v1', timeout: 2x}}", "roles.teacher.timeout", "2x"),
    # price and licence
    (
        "roles: {teacher: {model: m, endpoint: 'http://x/v1', price: {input: 1}}}",
        "roles.teacher.price.output",
        "this key is missing",
    ),
    (
        "roles: {teacher: {model: m, endpoint: 'http://x', price: {input: 1, output: 1, cached_input: 2}}}",
        "roles.teacher.price",
        "cached_input must be at most input",
    ),
    (
        "roles: {teacher: {model: m, endpoint: 'http://x/v1', licence: true}}",
        "roles.teacher.licence",
        "must be a licence such as apache-2.0, or {terms: …, allows_training: true}, not true",
    ),
    (
        "roles: {teacher: {model: m, endpoint: 'http://x/v1', licence: {terms: read}}}",
        "roles.teacher.licence.allows_training",
        "this key is missing",
    ),
    ("use: sale", "use", "must be 'research', 'commercial' or 'competing', not 'sale'"),
    ("generate: {templates: {from: judge}}", "generate.templates.from", "must be 'teacher'"),
    # types and bounds
    ("generate: {target: '500'}", "generate.target", "must be a whole number, not '500'"),
    ("generate: {target: 5.5}", "generate.target", "must be a whole number, not 5.5"),
    ("generate: {target: true}", "generate.target", "must be a whole number, not true"),
    ("generate: {target: 0}", "generate.target", "must be at least 1, not 0"),
    ("generate: {target: [5]}", "generate.target", "must be a whole number, not a list"),
    ("generate: {round: 0}", "generate.round", "must be at least 1"),
    ("generate: {temperature: 3}", "generate.temperature", "must be at most 2, not 3"),
    ("generate: {temperature: .inf}", "generate.temperature", "must be a finite number"),
    ("generate: {temperature: [1, 1.0]}", "generate.temperature", "stands more than once: 1"),
    ("generate: [target]", "generate", "must be a map"),
    ("sources: data/train.csv", "sources", "must be a map"),
    ("mix: 0.75", "mix", "must be a map"),
    ("mix: {synthetic: -0.1}", "mix.synthetic", "must be at least 0"),
    ("export: jsonl", "export", "must be a list"),
    ("export: [jsonl, jsonl]", "export[1]", "a second time"),
    ("budget: {requests: many}", "budget.requests", "must be a whole number, not 'many'"),
    ("student: [classifier]", "student", "must be one name"),
    ("student: {classifier: {feature: x}}", "student.classifier.feature", "did you mean 'features'?"),
    # sources
    ("sources: {real: {}}", "sources.real.path", "this key is missing"),
    ("sources: {real: {path: data/train}}", "sources.real.path", "no such file"),
    ("sources: {real: {path: prompts/a.j2}}", "sources.real.path", "cannot tell the format of a.j2"),
    ("sources: {real: {path: data, format: csv}}", "sources.real.path", "is a folder"),
    ("sources: {real: {path: data/train.csv, format: text}}", "sources.real.path", "wants a folder"),
    ("sources: {real: {path: data/train.csv, format: cvs}}", "sources.real.format", "did you mean 'csv'?"),
    ("sources: {real: {path: data/train.csv, compare: []}}", "sources.real.compare", "at least one column"),
    ("sources: {a/b: {path: data/train.csv}}", "sources.a/b", "a name has up to 64 letters"),
    (
        "sources: {real: {path: data/train.csv, columns: {txt: body}}}",
        "sources.real.columns.txt",
        "did you mean 'text'?",
    ),
    (
        "sources: {a: {path: data/test.csv, lock: true, split: {dev: 0.1}}}",
        "sources.a.split",
        "a locked eval is not split",
    ),
    ("sources: {a: {path: data/train.csv, split: {dev: 0.5, eval: 0.5}}}", "sources.a.split", "stay below 1"),
    # axes
    ("generate: {axes: {tone: []}}", "generate.axes.tone", "an axis without values"),
    ("generate: {axes: {tone: plain}}", "generate.axes.tone", "or {from: teacher, count: …}, not 'plain'"),
    ("generate: {axes: {tone: {fil: t.txt}}}", "generate.axes.tone", "says neither file nor from"),
    ("generate: {axes: {tone: {file: none.txt}}}", "generate.axes.tone.file", "no such file"),
    ("generate: {axes: {tone: {file: data/train.csv}}}", "generate.axes.tone", "column: NAME"),
    ("generate: {axes: {tone: {file: prompts/a.j2}}}", "generate.axes.tone.file", "must end in .txt"),
    ("generate: {axes: {tone: {from: teacher}}}", "generate.axes.tone.count", "this key is missing"),
    ("generate: {axes: {tone: {from: tutor, count: 2}}}", "generate.axes.tone.from", "must be 'teacher'"),
    ("generate: {axes: {tone: {from: teacher, count: 1}}}", "generate.axes.tone.count", "at least 2"),
    (
        "generate: {axes: {tone: {from: teacher, count: 9}}, cover: {tone: {plain: 3, '*': fill}}}",
        "generate.cover.tone",
        "nobody knows yet; write even",
    ),
    ("sources: {real: {path: 'data/*.jsonl'}}", "sources.real.path", "no file matches *.jsonl in "),
    (
        "sources: {real: {path: 'data/*.csv'}, eval: {path: data/test.csv, lock: true}}",
        "sources.eval.path",
        "eval path = real path",
    ),
    (
        "sources: {real: {path: data/train.csv}, eval: {path: 'd*/t*.csv', lock: true}}",
        "sources.eval.path",
        "eval path = real path",
    ),
    ("generate: {axes: {tone: [a, b, a]}}", "generate.axes.tone", "stands more than once: a"),
    ("generate: {axes: {tone: [a, [b]]}}", "generate.axes.tone[1]", "not a list"),
    ("generate: {axes: {tone: [a, ]}, seed: -1}", "generate.seed", "at least 0"),
    ("generate: {axes: {tone: [a, null]}}", "generate.axes.tone[1]", "not nothing"),
    ("generate: {axes: {examples: [a]}}", "generate.axes.examples", "every prompt has already"),
    ("generate: {axes: {temperature: [1]}}", "generate.axes.temperature", "every prompt has already"),
    ("generate: {axes: {to-ne: [a]}}", "generate.axes.to-ne", "letters, digits and _"),
    ("generate: {axes: {for: [a]}}", "generate.axes.for", "letters, digits and _"),
    ("generate: {axes: {team: [a]}}", "generate.axes.team", "'team' is the label"),
    ("generate: {axes: {text: [a]}}", "generate.axes", "leave nothing to ask for"),
    # methods
    ("generate: {methods: {}}", "generate.methods", "names no method"),
    ("generate: {methods: 3}", "generate.methods", "must be a name, a map or a list"),
    ("generate: {methods: {template: 0}}", "generate.methods.template", "a number above 0, not 0"),
    ("generate: {methods: {template: {weight: x}}}", "generate.methods.template.weight", "above 0, not 'x'"),
    ("generate: {methods: [template, template]}", "generate.methods[1]", "a second time"),
    (
        "generate: {methods: [direct, {template: {outputs: json}}]}",
        "generate.methods[1].template.outputs",
        "did you mean 'output'?",
    ),
    ("generate: {methods: evolve}", "generate.methods", "no method is called 'evolve'; there are: direct"),
    ("generate: {methods: direct, axes: {tone: [a]}}", "generate.axes", "the method direct uses no axes"),
    ("generate: {methods: direct, templates: [prompts/a.j2]}", "generate.templates", "uses no templates"),
    # cover
    ("generate: {cover: even}", "generate.cover", "must be a map"),
    ("generate: {cover: {team: 5}}", "generate.cover.team", "must be even, or a map"),
    ("generate: {cover: {tema: even}}", "generate.cover.tema", "did you mean 'team'?"),
    ("generate: {cover: {team: {a: 1.5}}}", "generate.cover.team.a", "a share must be at most 1"),
    ("generate: {cover: {team: {a: true}}}", "generate.cover.team.a", "not true"),
    ("generate: {cover: {team: {a: -1}}}", "generate.cover.team.a", "at least 0"),
    ("generate: {cover: {team: {a: 0.7, b: 0.4}}}", "generate.cover.team", "sum to 1.1"),
    (
        "generate: {target: 500, cover: {team: {a: 700}}}",
        "generate.cover.team",
        "cover asks for 700 but target is 500",
    ),
    ("generate: {cover: {team: {a: 11, b: 2}}}", "generate.cover.team", "gives 13 of the target 200"),
    ("generate: {cover: {team: {aa: 1}}}", "generate.cover.team.aa", "no such value"),
    ("generate: {axes: {tone: [hot]}, cover: {tone: {hoot: 3}}}", "generate.cover.tone.hoot", "mean 'hot'?"),
    # filters
    ("filters: refusal", "filters", "must be default or a list"),
    ("filters: [-refusal, default]", "filters[0]", "begin the list with default"),
    ("filters: [defualt]", "filters[0]", "no filter is called 'defualt'; did you mean 'default'?"),
    ("filters: [spam]", "filters[0]", "there are: default, "),
    ("filters: [default, -refusals]", "filters[1]", "did you mean '-refusal'?"),
    ("filters: [length, length]", "filters[1]", "a second time"),
    ("filters: [toxicity]", "filters[0]", "no filter is called 'toxicity'"),
    ("filters: [5]", "filters[0]", "must be the name of a filter, not 5"),
    ("filters: [{length: {min_words: -1}}]", "filters[0].length.min_words", "must be at least 0"),
    # roles
    ("roles: {techer: {model: m}}", "roles.techer", "did you mean 'teacher'?"),
    ("roles: {teacher: {}}", "roles.teacher", "says nothing"),
    ("roles: {teacher: gpt}", "roles.teacher", "must be a map"),
    ("roles: {teacher: {endpoint: 'http://x/v1'}}", "roles.teacher.model", "this key is missing"),
    ("roles: {teacher: {rehearsal: {typos: 0.1}}}", "roles.teacher.rehearsal.typos", "unknown key 'typos'"),
    ("roles: {teacher: {rehearsal: {copies: 1}}}", "roles.teacher.rehearsal.copies", "did you mean 'copy'?"),
    ("roles: {teacher: {rehearsal: {copys: 1}}}", "roles.teacher.rehearsal.copys", "did you mean 'copy'?"),
    ("roles: {teacher: {rehearsal: {kopi: 1}}}", "roles.teacher.rehearsal.kopi", "refusal, copy"),
    ("roles: {teacher: {rehearsal: {copy: 2}}}", "roles.teacher.rehearsal.copy", "must be at most 1"),
    ("roles: {teacher: {rehearsal: {refusal: 2}}}", "roles.teacher.rehearsal.refusal", "must be at most 1"),
    ("roles: {teacher: {rehearsal: {}, model: m}}", "roles.teacher.model", "unknown key 'model'"),
    ("roles: {teacher: {recorded: replies.jsonl}}", "roles.teacher.by", "this key is missing"),
    ("roles: {teacher: {recorded: no.jsonl, by: order}}", "roles.teacher.recorded", "no such file"),
    ("roles: {teacher: {recorded: replies.jsonl, by: lable}}", "roles.teacher.by", "did you mean 'label'?"),
    (
        "roles: {teacher: {recorded: replies.jsonl, by: label, match: '(x'}}",
        "roles.teacher.match",
        "not a regular expression",
    ),
    (
        "roles: {teacher: {recorded: replies.jsonl, by: label, match: 'x'}}",
        "roles.teacher.match",
        "must have named groups",
    ),
    (
        "roles: {teacher: {recorded: replies.jsonl, by: prompt, match: '(?P<draw>.)'}}",
        "roles.teacher",
        "by: prompt needs the group",
    ),
    # sections against each other
    ("mix: {synthetic: 0.5}", "mix", "no real source to mix with"),
]


@pytest.mark.parametrize(
    ("written", "key", "message"), SINGLE, ids=[written[:60] for written, _, _ in SINGLE]
)
def test_one_mistake_is_one_problem(fail: Fail, written: str, key: str, message: str) -> None:
    (problem,) = fail(SHORTEST + written + "\n")
    assert (problem.line, problem.key) == (3 + written.count("\n"), key)
    assert message in problem.message


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (TASK, "name", "this key is missing"),
        ("name: a\n", "task", "this key is missing"),
        ("name: a\ntask: {}\n", "task.kind", "there are: classification, instruction"),
        ("name: a\ntask: classification\n", "task", "must be a map"),
        ("name: a\ntask: {kind: extract}\n", "task.kind", "no task kind is called 'extract'"),
        ("name: a\ntask: {kind: extraction}\n", "task.schema", "this key is missing"),
        (
            "name: a\ntask: {kind: extraction, schema: {type: objekt}}\n",
            "task.schema",
            "no valid JSON Schema",
        ),
        (
            "name: a\ntask: {kind: extraction, schema: a.json}\n",
            "task.schema",
            "relative to the recipe's folder",
        ),
        ("name: a\ntask: {kind: extraction, schema: 'a:B'}\n", "task.schema", "a:B cannot be imported"),
        ("name: a\ntask: {kind: extraction, schema: 5}\n", "task.schema", "must be a JSON Schema"),
        ("name: a\ntask: {kind: translation, to: en}\n", "task.from", "this key is missing"),
        ("name: a\ntask: {kind: translation, from_: de, from: it, to: en}\n", "task.from_", "unknown key"),
        ("name: a\ntask: {kind: math, solution: 5}\n", "task.solution", "must be text, not 5"),
        ("name: a\ntask: {kind: custom, fields: {a: {type: number}}}\n", "task.fields", "a field of text"),
        ("name: a\ntask: {kind: instruction, promt: q}\n", "task.promt", "did you mean 'prompt'?"),
        ("name: a\ntask: {kind: instruction, prompt: response}\n", "task", "must be different fields"),
        ("name: 5\n" + TASK, "name", "must be text, not 5; put it in quotes"),
        ("name: Tickets\n" + TASK, "name", "small letters"),
        (f"name: {'x' * 65}\n" + TASK, "name", "up to 64"),
        (
            "name: a\ntask: {kind: classification, input: text, label: team}\n",
            "task",
            "there is no real source; list them",
        ),
        (
            "name: a\ntask: {kind: classification, input: t, label: l, labels: [x, x]}\n",
            "task.labels",
            "stands more than once: x",
        ),
        (
            "name: a\ntask: {kind: instruction}\nstudent: classifier\n",
            "student",
            "needs a task with labels",
        ),
        (
            "name: a\ntask: {kind: instruction}\ngenerate: {axes: {instruction: [x], response: [y]}}\n",
            "generate.axes",
            "fix every field (instruction, response)",
        ),
    ],
)
def test_name_and_task(fail: Fail, text: str, key: str, message: str) -> None:
    (problem,) = fail(text)
    assert problem.key == key
    assert message in problem.message


def test_contradictions_are_reported_together(fail: Fail) -> None:
    problems = fail(
        "name: a\n"
        "task: {kind: instruction}\n"
        "generate:\n"
        "  target: 500\n"
        "  cover: {tone: {plain: 700}}\n"
        "  axes: {tone: [plain, hurried]}\n"
        "  methods: [direct]\n"
        "mix: {synthetic: 0.5}\n"
        "student: classifier\n"
    )
    assert [(p.line, p.key) for p in problems] == [
        (5, "generate.cover.tone"),
        (6, "generate.axes"),
        (8, "mix"),
        (9, "student"),
    ]


EVAL = "  eval: {path: data/test.csv, lock: true}\n"


def test_the_eval_is_not_a_real_file(folder: Path, fail: Fail) -> None:
    (folder / "linked.csv").symlink_to(folder / "data" / "test.csv")
    for real in ("data/test.csv", "./data/../data/test.csv", "linked.csv", "data"):
        (problem,) = fail(SHORTEST + f"sources:\n  real: {{path: {real}}}\n" + EVAL)
        assert (problem.line, problem.key) == (5, "sources.eval.path")
        assert "eval path = real path" in problem.message


@pytest.mark.parametrize(
    ("other", "key"),
    [
        ("  other: {path: data/train.csv, lock: true}\n", "sources.other.lock"),
        ("  other: {path: data/train.csv, split: {eval: 0.2}}\n", "sources.other.split.eval"),
    ],
)
def test_there_is_one_eval(fail: Fail, other: str, key: str) -> None:
    (problem,) = fail(SHORTEST + "sources:\n" + EVAL + other)
    assert (problem.line, problem.key) == (5, key)
    assert "one eval already, in source 'eval'" in problem.message


@pytest.mark.parametrize(
    ("override", "key", "message"),
    [
        ("generate.targts=5", "generate.targts", "did you mean 'target'?"),
        ("generate.target=many", "generate.target", "must be a whole number, not 'many'"),
        ("generate", "", "must have the form a.b=value"),
        ("=5", "", "must have the form a.b=value"),
        ("generate..target=5", "", "must have the form a.b=value"),
        ("generate.axes={tone: [", "", "not valid YAML"),
        ("generate.axes={a: [b], a: [c]}", "", "a second time; keep one"),
        ("name.first=x", "", "'name' is a single value, not a map"),
        ("export.first=x", "", "'export' is a list, not a map; set it as a whole"),
        ("mix.synthetic=2", "mix.synthetic", "must be at most 1"),
    ],
)
def test_a_wrong_override_is_its_own_place(
    load: Load, fail: Fail, override: str, key: str, message: str
) -> None:
    text = SHORTEST + "sources: {real: {path: data/train.csv}}\nexport: [jsonl]\n"
    load(text)
    (problem,) = fail(text, [override])
    assert (problem.file, problem.line, problem.key) == (f"--set {override}", None, key)
    assert message in problem.message


def test_overrides_are_judged_with_the_file(folder: Path, fail: Fail) -> None:
    problems = fail(SHORTEST + "mxi: {}\n", ["generate.target=0", "generate.seed=-1"])
    assert [(problem.file, problem.line) for problem in problems] == [
        (str(folder / "recipe.yaml"), 3),
        ("--set generate.target=0", None),
        ("--set generate.seed=-1", None),
    ]


@pytest.mark.parametrize(
    ("rule", "key", "message"),
    [
        ("{real_atleast: 0.5}", "real_atleast", "unknown key 'real_atleast'; did you mean 'real_at_least'?"),
        ("{most: 1}", "most", "unknown key 'most'; there are: real_at_least, synthetic_at_most"),
        *(
            (
                f"{{real_at_least: {value}}}",
                "real_at_least",
                f"must be a share from 0 to 1 or a whole number of rows, not {value}",
            )
            for value in ("1.5", "-1", "-0.5", "true", "'half'")
        ),
    ],
)
def test_rules_of_a_slice(fail: Fail, rule: str, key: str, message: str) -> None:
    (problem,) = fail(SHORTEST + f"mix: {{slices: {{fee: {rule}}}}}\n")
    assert (problem.key, problem.message) == (f"mix.slices.fee.{key}", message)


def test_the_message_has_a_line_for_each_problem(folder: Path, fail: Fail) -> None:
    problems = fail(SHORTEST + "mix: {synthetic: 2}\nexport: [parqet]\n")
    assert str(problems[0]) == f"{folder / 'recipe.yaml'}:3: mix.synthetic: must be at most 1, not 2"
