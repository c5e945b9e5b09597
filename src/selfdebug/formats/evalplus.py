"""EvalPlus's test programs ("OriginFmt") made to run without numpy, their known faults mended.

Each stays one program, because it loops over thousands of inputs in one literal. What the data
set decides (tolerances, reference functions) stays as it is. It runs nothing.

    python -m pytest tests/test_formats.py -k evalplus
"""

from __future__ import annotations

import ast
import re
from typing import Any

from selfdebug.types import Test

# The judge has no numpy. This is what the programs use of it, with numpy's meaning: nested lists
# are arrays (ragged ones an error), shapes broadcast, NaN equals nothing, text is a TypeError, and
# so is None always, which numpy finds close to an empty list.
NUMPY = """\
class np:
    class ndarray: ...
    float32 = float64 = None

    @staticmethod
    def shape(value):
        if not isinstance(value, (list, tuple)):
            value - 0  # text and None are a TypeError, even beside an empty list
            return ()
        shapes = {np.shape(item) for item in value}
        if len(shapes) > 1:
            raise ValueError("setting an array element with a sequence")
        return (len(value), *(shapes.pop() if shapes else ()))

    @staticmethod
    def pairs(a, b, a_shape, b_shape):
        if not a_shape and not b_shape:
            yield a, b
        elif len(a_shape) > len(b_shape):
            for item in a:
                yield from np.pairs(item, b, a_shape[1:], b_shape)
        elif len(a_shape) < len(b_shape):
            for item in b:
                yield from np.pairs(a, item, a_shape, b_shape[1:])
        else:
            n, m = a_shape[0], b_shape[0]
            if n != m and 1 not in (n, m):
                raise ValueError("operands could not be broadcast together")
            left = list(a) * m if n == 1 else a
            right = list(b) * n if m == 1 else b
            for x, y in zip(left, right):
                yield from np.pairs(x, y, a_shape[1:], b_shape[1:])

    @staticmethod
    def allclose(a, b, rtol=1e-05, atol=1e-08):
        close = [
            x == y or (abs(x - y) <= atol + rtol * abs(y) and abs(y) != float("inf"))
            for x, y in np.pairs(a, b, np.shape(a), np.shape(b))
        ]
        return all(close)
"""

# HumanEval/32 unpacks the answer instead of the input, and accepts every negative value.
_FIND_ZERO = "_poly(*candidate(*inp), inp) <= 0.0001"
_FIND_ZERO_MENDED = "abs(_poly(*inp, candidate(*inp))) <= 0.0001"

# Three MBPP+ programs (737, 787, 794) work out `exact_match` and then forget to assert it.
_FORGOTTEN = "        exact_match = exp == (out is not None)\n"


# Inputs that are left out, by entry point: with them even the reference needs gigabytes.
_KEPT = {"combinations_colors": "inp[1] < 20"}

# How many ordinary tests a program stands for: it calls the candidate some thousand times, and
# with the inputs of these even the reference needs seconds.
_WEIGHT = 3
_WEIGHTS = {
    "fizz_buzz": 6,
    "largest_prime_factor": 6,
    "special_factorial": 12,
    "string_sequence": 12,
    "tri": 12,
    "amicable_numbers_sum": 6,
    "even_Power_Sum": 6,
    "find_lucas": 6,
    "get_coordinates": 12,
    "get_ludic": 6,
    "get_max_sum": 9,
    "sum_Of_product": 6,
    "sum_average": 36,
}

_LOOP = re.compile(r"^( *)for i, .*enumerate\(.*\n", re.MULTILINE)


def program(test: str, entry_point: str, keep: str = "") -> str:
    """Return an OriginFmt test program as one that the judge can run.

    keep: a condition on an input `inp` and its number `i`; the others are left out.
    """
    keep = " and ".join(filter(None, (_KEPT.get(entry_point), keep)))
    test = test.replace("import numpy as np\n", NUMPY, 1).replace(_FIND_ZERO, _FIND_ZERO_MENDED)
    if "assert exact_match" not in test:
        test = test.replace(_FORGOTTEN, f"{_FORGOTTEN}    assert exact_match\n")
    if keep:
        test = _LOOP.sub(rf"\g<0>\1    if not ({keep}):\n\1        continue\n", test)
    if "def check(candidate)" in test:
        test = f"{test.rstrip()}\n\n\ncheck({entry_point})\n"
    return test


def hidden_test(test: str, entry_point: str, keep: str = "") -> Test:
    """Return an OriginFmt test program as the hidden test that it is in every benchmark."""
    body, weight = program(test, entry_point, keep), _WEIGHTS.get(entry_point, _WEIGHT)
    return Test("plus", "program", body, hidden=True, weight=weight)


def cases(test: str, count: int) -> list[tuple[Any, Any]]:
    """Return the first inputs of a program with the results that it expects.

    Programs that work out their results by a function of their own give none. Only what is asked
    for is parsed: the literals are megabytes.
    """
    try:
        inputs, results = (_first_items(test, name, count) for name in ("inputs", "results"))
    except ValueError:  # no such literal, or one that holds more than plain values
        return []
    return list(zip(inputs, results, strict=False))


_TOKEN = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[\[\](){},]""")


def _first_items(test: str, name: str, count: int) -> list[Any]:
    """Parse the first items of the list literal that a program assigns to `name`."""
    start = test.index(f" {name} = [") + len(f" {name} = ")
    depth = found = 0
    for token in _TOKEN.finditer(test, start):
        depth += {"[": 1, "(": 1, "{": 1, "]": -1, ")": -1, "}": -1}.get(token[0], 0)
        found += token[0] == "," and depth == 1
        if depth == 0:
            return ast.literal_eval(test[start : token.end()])
        if found == count:
            return ast.literal_eval(test[start : token.start()] + "]")
    raise ValueError(f"{name} never ends")
