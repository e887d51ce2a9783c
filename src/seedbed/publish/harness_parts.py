"""The code that harness tasks are made of: plain Python of their own, which needs nothing of Seedbed.

Names in capitals at the head of a written task are the recipe's; the rest is the same for all.
"""

from __future__ import annotations

ROWS = '''
def text_of(value):
    """A value as text: as it stands, nothing for None, and JSON for whatever is no text."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def question(row):
    """What is asked for a row."""
    parts = [text_of(row.get(column)) for column in ASKED]
    return BEFORE + BETWEEN.join(part for part in parts if part)


def answer(row):
    """What should come: one column as it stands, several as JSON by the names of their fields."""
    if len(ANSWER) == 1:
        return text_of(row.get(next(iter(ANSWER.values()))))
    return json.dumps({field: row.get(column) for field, column in ANSWER.items()}, ensure_ascii=False)
'''

CONVERSATION_ROWS = '''
def turns(row):
    """The conversation of a row; in CSV it is JSON."""
    value = row[TURNS]
    return json.loads(value) if isinstance(value, str) else value


def question(row):
    """All that was said before the last turn."""
    said = turns(row)[:-1]
    if len(said) == 1:
        return said[0]["content"]
    return "\\n".join(f"{turn['role']}: {turn['content']}" for turn in said)


def answer(row):
    """What the assistant says last."""
    return turns(row)[-1]["content"]
'''

MATH = '''
def final(text):
    """The answer that a text comes to: what it marks, else its last number, else all of it."""
    marks = (r"\\\\boxed\\s*\\{([^{}]*)\\}", r"####\\s*(\\S.*)", r"answer is:?\\s*(.*?)(?:\\.\\s|\\.?$)")
    for mark in marks:
        if found := re.findall(mark, text, re.IGNORECASE | re.MULTILINE):
            return found[-1].strip()
    found = re.findall(r"-?\\d[\\d,]*(?:\\.\\d+)?(?:/\\d+)?", text)
    return found[-1] if found else text.strip()


def value(text):
    """A number by its value, any other text without case, spaces and signs around it."""
    bare = text.strip().strip("*_`$.").replace(",", "").strip()
    try:
        return Fraction(bare)
    except (ValueError, ZeroDivisionError):
        return " ".join(bare.casefold().split())


def score(said, wanted):
    """1.0 where the answer has the value of the row's."""
    return float(value(final(said)) == value(wanted))
'''

RECORD = '''
def record(text):
    """The JSON of a text, perhaps in a fence; None where it is none."""
    fenced = re.match(r"\\A\\s*```(?:json)?[ \\t]*\\n(.*?)\\n?```\\s*\\Z", text, re.DOTALL | re.IGNORECASE)
    try:
        return json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return None


def without_nulls(value):
    """A null is as good as nothing."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def score(said, wanted):
    """1.0 where all of the record is right."""
    found = record(said)
    return float(found is not None and without_nulls(found) == without_nulls(json.loads(wanted)))
'''

PROCESS_RESULTS = """
def process_results(row, results):
    return {METRIC: score(results[0], answer(row))}
"""

INSPECT_SAMPLES = """
def sample(row):
    asked = [ChatMessageUser(content=question(row))]
    told = [ChatMessageSystem(content=INSTRUCTION)] if INSTRUCTION else []
    return Sample(input=[*told, *asked], target=answer(row))
"""

INSPECT_CONVERSATIONS = """
ROLES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def sample(row):
    asked = [ROLES[turn["role"]](content=turn["content"]) for turn in turns(row)[:-1]]
    return Sample(input=asked, target=answer(row))
"""

INSPECT_PROGRAMS = '''
def sample(row):
    asked = [ChatMessageSystem(content=INSTRUCTION), ChatMessageUser(content=question(row))]
    return Sample(input=asked, target=answer(row), metadata={"tests": text_of(row.get(TESTS))})


def program_in(text):
    """The longest fenced part of an answer, or all of it."""
    return max(re.findall(r"```[^\\n]*\\n(.*?)```", text, re.DOTALL), key=len, default=text)


@scorer(metrics=[accuracy(), stderr()])
def tests_passed():
    """Runs the row's tests on the program, in the sandbox of the task."""

    async def score(state, target):
        program = program_in(state.output.completion) + "\\n\\n" + state.metadata["tests"]
        try:
            ended = await sandbox().exec(["python", "-c", program], timeout=SECONDS)
            passed, said = ended.success, ended.stderr
        except TimeoutError:
            passed, said = False, "the tests took too long"
        return Score(value=CORRECT if passed else INCORRECT, answer=program, explanation=said)

    return score
'''

INSPECT_SCORE = """
@scorer(metrics=[mean(), stderr()])
def {metric}():
    async def judge(state, target):
        return Score(value=score(state.output.completion, target.text), answer=state.output.completion)

    return judge
"""

INSPECT_TASK = """
@task
def {name}():
    rows = MemoryDataset([one for file in FILES for one in {reader}(file, sample)])
    return Task(dataset=rows, solver=generate(), scorer={scorer}{more})
"""
