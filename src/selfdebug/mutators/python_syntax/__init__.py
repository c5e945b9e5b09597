"""Python syntax errors: slips of punctuation, quotes, indentation and keywords.

`slips` puts them into a working program, `mending` finds them in one that does not compile.

    python -c "from selfdebug.mutators import python_syntax as m; print(*m.repair('f((x)'))"
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfdebug.languages.python_edit.change import mutations
from selfdebug.mutators.python_syntax.mending import mended
from selfdebug.mutators.python_syntax.slips import OPERATORS
from selfdebug.types import Kind, Language, Mutation

LANGUAGE: Language = "python"
KIND: Kind = "syntax"


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield programs with one slip, which do not compile."""
    return mutations(code, OPERATORS, KIND, "python_syntax", rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs that compile, when this one does not; several slips may be mended at once."""
    return mended(code)
