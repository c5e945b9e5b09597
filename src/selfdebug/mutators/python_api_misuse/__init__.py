"""Python API misuse: wrong functions, methods and arguments, lost conversions, missing imports.

`calls` changes what is called and with what, `names` what a name stands for.

    python -c "from selfdebug.mutators import python_api_misuse as m; print(*m.repair('max(a)'))"
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfdebug.languages.python_edit.change import Operator, mutations, repairs
from selfdebug.mutators.python_api_misuse import calls, conversions, names
from selfdebug.types import Kind, Language, Mutation

LANGUAGE: Language = "python"
KIND: Kind = "api_misuse"
OPERATORS: tuple[Operator, ...] = (*names.OPERATORS, *calls.OPERATORS, *conversions.OPERATORS)


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield misused functions, methods and modules put into a working program."""
    return mutations(code, OPERATORS, KIND, "python_api_misuse", rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs in which one call, conversion or name is another."""
    return repairs(code, OPERATORS, KIND, "python_api_misuse")
