"""JavaScript API misuse: the wrong method, argument, conversion, loop form or built-in name.

`calls` holds the operators on calls and their arguments, `values` those on what goes in and comes
out, `forms` those on how something is handed over, and `habits` what comes from other languages;
this file puts them in order, the most plausible first. `habits_undone`, `forms_undone` and
`calls_undone` mend what cannot be read in reverse.

    python -c "from selfdebug.mutators import javascript_api_misuse as m; print(m.OPERATORS)"
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfdebug.languages.javascript_edit import mutations, repairs
from selfdebug.mutators.javascript_api_misuse import (
    calls,
    calls_undone,
    forms,
    forms_undone,
    habits,
    habits_undone,
    values,
)
from selfdebug.types import Kind, Language, Mutation

LANGUAGE: Language = "javascript"
KIND: Kind = "api_misuse"
NAME = "javascript_api_misuse"

OPERATORS = (
    values.foreign_name,
    values.property_call,
    calls.function,
    calls.method,
    calls.comparator,
    calls.callback,
    calls.arrow,
    calls.returned,
    values.iteration,
    values.keyword,
    values.spread,
    values.quoted_name,
    calls.receiver,
    calls.missing_argument,
    calls.extra_argument,
    values.step,
    values.missing_function,
    values.missing_method,
    values.equality,
    habits.negative_index,
    habits.power,
    habits.extreme,
    habits.element,
    habits.map_entry,
    habits.joined,
    habits.membership,
    habits.own_function,
    habits.namespace,
    habits.foreign_method,
    habits.type_test,
    habits.rounded_quotient,
    forms.found,
    forms.printed,
    forms.callback_parameters,
    forms.pattern,
    forms.called_callback,
    forms.uncalled,
    forms.block_body,
    forms.loop_form,
    forms.own_value,
    forms.wrapped_argument,
    forms.bare_object,
    forms.pushed,
    forms.shared_rows,
    forms.same_array,
    forms.nothing,
    forms.template,
)
# Only mend, and stand last: what they offer is little, and a search weighs it by its number.
REVERSES = (*habits_undone.OPERATORS, *forms_undone.OPERATORS, *calls_undone.OPERATORS)


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield misused APIs put into a working program."""
    return mutations(code, OPERATORS, KIND, NAME, rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs with one call or built-in of `code` changed."""
    return repairs(code, (*OPERATORS, *REVERSES), KIND, NAME)
