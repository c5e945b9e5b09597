"""The first failing visible test as Input / Expected / Got, or the error with its line.

python -c "from selfdebug.feedback.failing_test import WHAT; print(*WHAT.values(), sep='\\n')"
"""

from __future__ import annotations

from selfdebug.types import Status, Task, TestResult

PASSING = "No visible test fails."
VALUE_CHARS = 300  # of one input, expected value or message

WHAT: dict[Status, str] = {
    "wrong": "The program returns a wrong value.",
    "exception": "The program raises an error.",
    "timeout": "The program does not end in time. A loop or a recursion may never stop.",
    "memory": "The program uses too much memory.",
    "output_limit": "The program prints too much.",
    "crashed": "The program crashes.",
    "exited_early": "The program ends the process instead of returning.",
    "unserialisable": "The program returns something that is not a plain value.",
    "load_error": "The program does not load.",
}


def failing_test(task: Task, code: str, failure: TestResult | None) -> str:
    """Return the first failing visible test as Input / Expected / Got, or the error."""
    if failure is None:
        return PASSING
    head = WHAT.get(failure.status, "The program fails a test.")
    told = [_field(name, cap(value)) for name, value in facts(task, code, failure)]
    return "\n".join([head, *told])


def facts(task: Task, code: str, failure: TestResult) -> list[tuple[str, str]]:
    """Return what is known of a failure, as (name, value)."""
    known: list[tuple[str, str]] = []
    if failure.status != "load_error":  # then no test has run
        body = next((t.body for t in task.visible_tests if t.id == failure.test_id), "")
        known.append(("Input", failure.call) if failure.call else ("Test", body))
        known += [("Expected", failure.expected), ("Got", failure.got)]
    known.append(("Check" if failure.status == "wrong" else "Error", failure.message))
    known.append((f"Line {failure.line}", line_of(code, failure.line).strip()))
    return [(name, value.strip("\n")) for name, value in known if value.strip()]


def _field(name: str, value: str) -> str:
    if "\n" in value:
        return f"{name}:\n" + "\n".join(f"    {line}" for line in value.split("\n"))
    return f"{name + ':':<9} {value}"


def line_of(code: str, number: int) -> str:
    """Return a 1-based line of a program, "" outside it."""
    lines = code.split("\n")  # not splitlines, which also splits at form feeds inside strings
    return lines[number - 1] if 0 < number <= len(lines) else ""


def cap(text: str, limit: int = VALUE_CHARS) -> str:
    """Return the text, its middle left out when it is long: both ends of a value tell most."""
    if len(text) <= limit:
        return text
    return f"{text[: limit * 2 // 3]} ... {text[-(limit // 3) + 5 :]}"
