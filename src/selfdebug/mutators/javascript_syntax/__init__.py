"""JavaScript syntax errors: a program that does not load.

`slips` breaks a program by one slip, `mending` makes one parse again; here they become Mutations.
For a program that parses, and that an engine still refuses because it declares a name twice, the
second declaration is offered as an assignment.

    python -c "from selfdebug.mutators.javascript_syntax import repair; print(*repair('f((1)'))"
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

from selfdebug.languages.javascript_edit import (
    Change,
    Edit,
    Program,
    change,
    child,
    explain,
    mutations,
    quote,
    repairs,
)
from selfdebug.languages.javascript_edit.places import BLOCKS
from selfdebug.mutators.javascript_syntax import slips
from selfdebug.mutators.javascript_syntax.mending import mended
from selfdebug.types import Kind, Language, Mutation

LANGUAGE: Language = "javascript"
KIND: Kind = "syntax"
NAME = "javascript_syntax"
_OFFERED = 400

OPERATORS = (
    slips.unclosed,
    slips.unopened,
    slips.surplus,
    slips.mismatched,
    slips.quotes,
    slips.comma,
    slips.header,
    slips.foreign,
    slips.typo,
    slips.arrow,
    slips.broken_operator,
    slips.declaration,
    slips.choice,
    slips.statement,
)


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield programs that one slip keeps from parsing."""
    return mutations(code, OPERATORS, KIND, NAME, rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs that parse, made from one that does not; or mend a double declaration."""
    program = Program(code)
    if program.parses or program.has_lone_returns:
        yield from repairs(code, (redeclared,), KIND, NAME)
        return
    rng = Random(0)
    for fixed, trials in islice(mended(code), _OFFERED):
        parts: list[str] = []
        for trial in trials:
            line = code.count("\n", 0, trial.start) + 1
            old = code[trial.start : trial.end]
            parts.append(explain(line, *_shown(old, trial.text), trial.reason, rng))
        first = min(trial.start for trial in trials)
        line = code.count("\n", 0, first) + 1
        yield Mutation(code, fixed, KIND, line, " ".join(parts), f"{NAME}.mending")


def _shown(old: str, new: str) -> tuple[str, str]:
    return (old.strip().splitlines() or [""])[0][:60], new.strip()


def redeclared(program: Program) -> Iterator[Change]:
    """Declare a name twice in one block."""
    for block in program.of(*BLOCKS):
        known: set[str] = set()
        for statement in block.named_children:
            if statement.type != "lexical_declaration":
                continue
            names = [
                child(part, "name") for part in statement.named_children if part.type != "comment"
            ]
            for name in names:
                text = program.text(name)
                if text in known and len(names) == 1:
                    edit = Edit(statement.start_byte, name.start_byte, "")
                    yield change(statement, [edit], f"{quote(text)} is declared already")
                known.add(text)
