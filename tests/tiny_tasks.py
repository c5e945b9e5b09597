"""Two small tasks with right and wrong programs, and a tiny model that writes both by chance."""

from pathlib import Path

import tiny_models
from selfdebug import prompts
from selfdebug.feedback.failing_test import failing_test
from selfdebug.rl.material import Material
from selfdebug.rl.pool import Ask, Mended
from selfdebug.types import Request, Task, Test, TestResult

NAMES = ("double", "triple")
NUMBERS = {"double": 2, "triple": 3}


def program(name: str, number: int) -> str:
    return f"def {name}(x):\n    return x * {number}\n"


def task(name: str) -> Task:
    tests = (
        Test("seen", "program", f"assert {name}(2) == {2 * NUMBERS[name]}"),
        Test("hidden", "program", f"assert {name}(5) == {5 * NUMBERS[name]}", hidden=True),
    )
    return Task(
        name, "python", f"Write {name}.", name, tests, reference=program(name, NUMBERS[name])
    )


TASKS = [task(name) for name in NAMES]


def failure(name: str, number: int) -> TestResult:
    return TestResult(
        "seen", "wrong", f"{name}(2)", expected=str(2 * NUMBERS[name]), got=str(2 * number)
    )


def ask(name: str, number: int = 7) -> Ask:
    wrong, shown = program(name, number), failure(name, number)
    told = failing_test(task(name), wrong, shown)
    return Ask(name, "refine", "explain_refine", wrong, told, shown)


def explanation(name: str, number: int) -> str:
    return f"Line 2 is wrong: `return x * {number}` should be `return x * {NUMBERS[name]}`."


def material() -> Material:
    mended = [
        Mended(name, program(name, 7), program(name, NUMBERS[name]), explanation(name, 7))
        for name in NAMES
    ]
    return Material(TASKS, [ask(name) for name in NAMES], mended)


def request(asked: Ask) -> Request:
    return Request(task(asked.task_id), asked.mode, asked.broken, asked.feedback)


def conversations():
    """What the tiny model has learned: half of its replies are wrong, some explain falsely."""
    pairs = []
    for name in NAMES:
        writes = prompts.messages(Request(task(name), "generate"))
        mends = prompts.messages(request(ask(name)))
        for number in (NUMBERS[name], 7):
            code = prompts.fenced("python", program(name, number))
            pairs.append((writes, code))
            for line in (2, 9):
                said = explanation(name, 7).replace("Line 2", f"Line {line}")
                pairs.append((mends, f"{said}\n\n{code}"))
    return pairs


def write_policy(folder: Path, steps: int = 120) -> Path:
    pairs = conversations()
    texts = [m["content"] for messages, _ in pairs for m in messages] + [said for _, said in pairs]
    tiny_models.write_model(folder, texts=texts)
    tiny_models.teach(folder, pairs, steps=steps)
    return folder
