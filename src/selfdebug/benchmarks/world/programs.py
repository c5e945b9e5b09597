"""Chains of operations, as descriptions and as Python and JavaScript programs in two styles.

A chain says which operations follow one another, with their numbers; a reading says which choice
each of them means. "expressions" is one statement for each operation, "loops" writes the loops out.
It makes texts and runs nothing.

    python -c "from selfdebug.benchmarks.world import programs; help(programs.program)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from selfdebug.benchmarks.world.operations import Form, Operation
from selfdebug.types import Language

Style = Literal["expressions", "loops"]
STYLES: tuple[Style, ...] = ("expressions", "loops")
Reading = tuple[int, ...]  # for each operation of a chain the index of its choice

ENTRY = "solve"
NAMES = ("a", "b", "c")  # what the operations give, in turn


@dataclass(frozen=True, slots=True)
class Step:
    """An operation with its numbers K and M."""

    operation: Operation
    k: int
    m: int


@dataclass(frozen=True, slots=True)
class Chain:
    """One to three operations, each taking what the one before it gives."""

    steps: tuple[Step, ...]

    @property
    def composition(self) -> str:
        """The operations' names: what tasks are split by."""
        return "-".join(step.operation.name for step in self.steps)

    @property
    def argument(self) -> str:
        """The name of the program's one argument."""
        return self.steps[0].operation.takes

    def readings(self) -> Iterator[Reading]:
        """Yield every combination of choices."""
        yield from product(*(range(len(step.operation.choices)) for step in self.steps))


def description(chain: Chain, wording: int) -> str:
    """Return what to do, in words that fit every reading; wording chooses among synonyms."""
    asked = [
        _numbers(step.operation.says[wording % len(step.operation.says)], step)
        for step in chain.steps
    ]
    return f"Write {ENTRY}({chain.argument}): {', then '.join(asked)}."


def program(chain: Chain, reading: Reading, language: Language, style: Style) -> str:
    """Return the program of a reading, with a newline at its end."""
    lines: list[str] = []
    taken, last = chain.argument, len(chain.steps) - 1
    for at, (step, index) in enumerate(zip(chain.steps, reading, strict=True)):
        choice = step.operation.choices[index]
        code = choice.python if language == "python" else choice.javascript
        code = re.sub(r"\bA\b", taken, _numbers(code, step))
        form = step.operation.form
        statement = _Statement(form, code, taken, NAMES[at], at == last)
        whole = style == "expressions" or form == "value"
        if language == "python":
            lines += _python_expression(statement) if whole else _python_loop(statement)
        else:
            lines += _javascript_expression(statement) if whole else _javascript_loop(statement)
        taken = NAMES[at]
    head, foot = f"function {ENTRY}({chain.argument}) {{\n", "}\n"
    if language == "python":
        head, foot = f"def {ENTRY}({chain.argument}):\n", ""
    indent = "    " if language == "python" else "  "
    return head + "".join(f"{indent}{line}\n" for line in lines) + foot


def meaning(step: Step, index: int) -> str:
    """Return in words what a choice of a step means."""
    return _numbers(step.operation.choices[index].means, step)


def _numbers(text: str, step: Step) -> str:
    known = {"K": step.k, "J": step.k - 1, "M": step.m}
    # "every Kth value" is the one place where a number is part of a word.
    text = text.replace("Kth", f"{step.k}{_ORDINALS.get(step.k, 'th')}")
    return re.sub(r"\b[KJM]\b", lambda found: str(known[found[0]]), text)


_ORDINALS = {2: "nd", 3: "rd"}


@dataclass(frozen=True, slots=True)
class _Statement:
    """What an operation takes and gives, and whether the program returns it."""

    form: Form
    code: str
    taken: str
    given: str
    last: bool


def _python_expression(one: _Statement) -> Iterator[str]:
    made = one.code
    if one.form.startswith("keep"):
        made = f"[x {_python_over(one)} if {one.code}]"
    elif one.form.startswith("map"):
        made = f"[{one.code} {_python_over(one)}]"
    yield f"return {made}" if one.last else f"{one.given} = {made}"


def _python_loop(one: _Statement) -> Iterator[str]:
    yield f"{one.given} = 0" if one.form == "fold" else f"{one.given} = []"
    yield f"{_python_over(one)}:"
    if one.form == "fold":
        yield f"    {one.given} += x"
    elif one.form.startswith("keep"):
        yield f"    if {one.code}:"
        yield f"        {one.given}.append(x)"
    else:
        yield f"    {one.given}.append({one.code})"
    if one.last:
        yield f"return {one.given}"


def _python_over(one: _Statement) -> str:
    if one.form.endswith("_at"):
        return f"for i, x in enumerate({one.taken})"
    return f"for x in {one.taken}"


def _javascript_expression(one: _Statement) -> Iterator[str]:
    made = one.code
    if one.form not in ("fold", "value"):
        method = "filter" if one.form.startswith("keep") else "map"
        parameters = "(x, i)" if one.form.endswith("_at") else "(x)"
        made = f"{one.taken}.{method}({parameters} => {one.code})"
    yield f"return {made};" if one.last else f"const {one.given} = {made};"


def _javascript_loop(one: _Statement) -> Iterator[str]:
    yield f"let {one.given} = 0;" if one.form == "fold" else f"const {one.given} = [];"
    if one.form.endswith("_at"):
        yield f"for (const [i, x] of {one.taken}.entries()) {{"
    else:
        yield f"for (const x of {one.taken}) {{"
    if one.form == "fold":
        yield f"  {one.given} += x;"
    elif one.form.startswith("keep"):
        yield f"  if ({one.code}) {{"
        yield f"    {one.given}.push(x);"
        yield "  }"
    else:
        yield f"  {one.given}.push({one.code});"
    yield "}"
    if one.last:
        yield f"return {one.given};"
