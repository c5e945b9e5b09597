"""The world's vocabulary: what its programs can do, in words, in Python and in JavaScript.

An operation with one choice is fully described by its words. One with several leaves something
open on purpose (ends, ties, order, empty input, index base): the words fit every choice, weights
say how often each is meant, and only a failing test tells which. It holds tables; it runs nothing.

    python -c "from selfdebug.benchmarks.world.operations import OPERATIONS; print(len(OPERATIONS))"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# numbers: a list of whole numbers; words: a list of lower-case words; end: nothing may follow.
Type = Literal["numbers", "words", "end"]
# keep, map: by each element x; keep_at, map_at: by x and its index i; fold: a sum; value: of A.
Form = Literal["keep", "map", "keep_at", "map_at", "fold", "value"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One reading of an operation: `means` in words, and as an expression of each language.

    In expressions A is the list, x an element, i its index; K, J = K - 1 and M > K + 1 are numbers.
    """

    weight: int
    means: str
    python: str
    javascript: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a program; `says` are ways to ask for it, which fit each of its choices."""

    name: str
    takes: Type
    gives: Type
    form: Form
    says: tuple[str, ...]
    choices: tuple[Choice, ...]


def _plain(
    name: str, types: tuple[Type, Type, Form], says: str, python: str, javascript: str = ""
) -> Operation:
    """Return an operation that leaves nothing open; types: what it takes and gives, its form."""
    takes, gives, form = types
    choice = Choice(1, says, python, javascript or python)
    return Operation(name, takes, gives, form, (says,), (choice,))


def _or_empty(name: str, takes: Type, says: str, python: str, javascript: str) -> Operation:
    """Return an operation that leaves open what an empty list gives."""
    values = ((70, "None", "null"), (25, "0", "0"), (20, "-1", "-1"), (10, "[]", "[]"))
    choices = tuple(
        Choice(weight, f"an empty list gives {p}", f"{python} if A else {p}", f"{javascript} : {j}")
        for weight, p, j in values
    )
    return Operation(name, takes, "end", "value", (says,), choices)


_MAX = "Math.max(...A)"

OPERATIONS: tuple[Operation, ...] = (
    # Numbers to numbers, nothing left open.
    _plain("above", ("numbers", "numbers", "keep"), "keep the values greater than K", "x > K"),
    _plain("below", ("numbers", "numbers", "keep"), "keep the values less than K", "x < K"),
    _plain(
        "even", ("numbers", "numbers", "keep"), "keep the even values", "x % 2 == 0", "x % 2 === 0"
    ),
    _plain(
        "odd", ("numbers", "numbers", "keep"), "keep the odd values", "x % 2 != 0", "x % 2 !== 0"
    ),
    _plain(
        "multiples",
        ("numbers", "numbers", "keep"),
        "keep the multiples of K",
        "x % K == 0",
        "x % K === 0",
    ),
    _plain("plus", ("numbers", "numbers", "map"), "add K to each value", "x + K"),
    _plain("times", ("numbers", "numbers", "map"), "multiply each value by K", "x * K"),
    _plain("square", ("numbers", "numbers", "map"), "square each value", "x * x"),
    _plain(
        "absolute",
        ("numbers", "numbers", "map"),
        "take the absolute value of each value",
        "abs(x)",
        "Math.abs(x)",
    ),
    _plain(
        "reverse",
        ("numbers", "numbers", "value"),
        "reverse the order",
        "A[::-1]",
        "[...A].reverse()",
    ),
    # Numbers to numbers, with something left open.
    Operation(
        "between",
        "numbers",
        "numbers",
        "keep",
        ("keep the values from K to M", "keep the values between K and M"),
        (
            Choice(75, "both ends belong to it", "K <= x <= M", "x >= K && x <= M"),
            Choice(25, "the end does not belong to it", "K <= x < M", "x >= K && x < M"),
            Choice(15, "no end belongs to it", "K < x < M", "x > K && x < M"),
            Choice(10, "the start does not belong to it", "K < x <= M", "x > K && x <= M"),
        ),
    ),
    Operation(
        "replace",
        "numbers",
        "numbers",
        "map",
        ("replace the values above K",),
        (
            Choice(75, "they become K", "x if x <= K else K", "x <= K ? x : K"),
            Choice(25, "they become 0", "x if x <= K else 0", "x <= K ? x : 0"),
            Choice(15, "they become -1", "x if x <= K else -1", "x <= K ? x : -1"),
            Choice(10, "they lose K", "x if x <= K else x - K", "x <= K ? x : x - K"),
        ),
    ),
    Operation(
        "sort",
        "numbers",
        "numbers",
        "value",
        ("sort the values", "put the values in order"),
        (
            Choice(75, "the smallest comes first", "sorted(A)", "[...A].sort((x, y) => x - y)"),
            Choice(
                25,
                "the largest comes first",
                "sorted(A, reverse=True)",
                "[...A].sort((x, y) => y - x)",
            ),
            Choice(
                15,
                "signs do not count, the smallest comes first",
                "sorted(A, key=abs)",
                "[...A].sort((x, y) => Math.abs(x) - Math.abs(y))",
            ),
            Choice(
                10,
                "signs do not count, the largest comes first",
                "sorted(A, key=abs, reverse=True)",
                "[...A].sort((x, y) => Math.abs(y) - Math.abs(x))",
            ),
        ),
    ),
    Operation(
        "unique",
        "numbers",
        "numbers",
        "keep_at",
        ("remove repeated values",),
        (
            Choice(75, "the first one stays", "x not in A[:i]", "!A.slice(0, i).includes(x)"),
            Choice(20, "the last one stays", "x not in A[i + 1:]", "!A.slice(i + 1).includes(x)"),
            Choice(
                20, "none of them stays", "A.count(x) == 1", "A.indexOf(x) === A.lastIndexOf(x)"
            ),
            Choice(10, "only neighbours count", "x not in A[i + 1:i + 2]", "A[i + 1] !== x"),
        ),
    ),
    Operation(
        "every",
        "numbers",
        "numbers",
        "keep_at",
        ("take every Kth value", "keep one value of every K"),
        (
            Choice(70, "the first is taken", "i % K == 0", "i % K === 0"),
            Choice(30, "the last of each K is taken", "i % K == J", "i % K === J"),
            Choice(15, "the second is taken", "i % K == 1", "i % K === 1"),
            Choice(
                10,
                "it counts from the end",
                "(len(A) - i) % K == 1",
                "(A.length - i) % K === 1",
            ),
        ),
    ),
    Operation(
        "differences",
        "numbers",
        "numbers",
        "value",
        ("take the differences of neighbours",),
        (
            Choice(
                75,
                "it is the later minus the earlier",
                "[y - x for x, y in zip(A, A[1:])]",
                "A.slice(1).map((y, i) => y - A[i])",
            ),
            Choice(
                30,
                "it is the earlier minus the later",
                "[x - y for x, y in zip(A, A[1:])]",
                "A.slice(1).map((y, i) => A[i] - y)",
            ),
            Choice(
                20,
                "signs do not count",
                "[abs(y - x) for x, y in zip(A, A[1:])]",
                "A.slice(1).map((y, i) => Math.abs(y - A[i]))",
            ),
        ),
    ),
    Operation(
        "running",
        "numbers",
        "numbers",
        "map_at",
        ("take the running totals", "sum up step by step"),
        (
            Choice(
                75,
                "each one counts itself",
                "sum(A[:i + 1])",
                "A.slice(0, i + 1).reduce((s, y) => s + y, 0)",
            ),
            Choice(
                25,
                "each one counts what is before it",
                "sum(A[:i])",
                "A.slice(0, i).reduce((s, y) => s + y, 0)",
            ),
            Choice(
                15,
                "they run from the end",
                "sum(A[i:])",
                "A.slice(i).reduce((s, y) => s + y, 0)",
            ),
            Choice(
                10,
                "each one counts what is after it",
                "sum(A[i + 1:])",
                "A.slice(i + 1).reduce((s, y) => s + y, 0)",
            ),
        ),
    ),
    Operation(
        "drop",
        "numbers",
        "numbers",
        "value",
        ("drop K values", "remove K of the values"),
        (
            Choice(75, "the first go", "A[K:]", "A.slice(K)"),
            Choice(25, "the last go", "A[:-K]", "A.slice(0, -K)"),
            Choice(15, "they go from both ends", "A[K:-K]", "A.slice(K, -K)"),
            Choice(
                10,
                "the smallest go",
                "sorted(A)[K:]",
                "[...A].sort((x, y) => x - y).slice(K)",
            ),
        ),
    ),
    Operation(
        "take",
        "numbers",
        "numbers",
        "value",
        ("take K values", "choose K of the values"),
        (
            Choice(75, "the first are taken", "A[:K]", "A.slice(0, K)"),
            Choice(25, "the last are taken", "A[-K:]", "A.slice(-K)"),
            Choice(
                15,
                "the smallest are taken",
                "sorted(A)[:K]",
                "[...A].sort((x, y) => x - y).slice(0, K)",
            ),
            Choice(
                10,
                "the largest are taken",
                "sorted(A)[-K:]",
                "[...A].sort((x, y) => x - y).slice(-K)",
            ),
        ),
    ),
    Operation(
        "positions",
        "numbers",
        "numbers",
        "map_at",
        ("add its position to each value",),
        (
            Choice(75, "positions start at 0", "x + i", "x + i"),
            Choice(30, "positions start at 1", "x + i + 1", "x + i + 1"),
            Choice(20, "positions count from the end", "x + len(A) - i", "x + A.length - i"),
        ),
    ),
    # Numbers to an answer.
    _plain(
        "sum", ("numbers", "end", "fold"), "add them up", "sum(A)", "A.reduce((s, x) => s + x, 0)"
    ),
    _plain("count", ("numbers", "end", "value"), "count them", "len(A)", "A.length"),
    _or_empty("largest", "numbers", "find the largest value", "max(A)", f"A.length ? {_MAX}"),
    _or_empty(
        "smallest", "numbers", "find the smallest value", "min(A)", "A.length ? Math.min(...A)"
    ),
    _or_empty("first", "numbers", "find the first value", "A[0]", "A.length ? A[0]"),
    _or_empty("last", "numbers", "find the last value", "A[-1]", "A.length ? A[A.length - 1]"),
    Operation(
        "where",
        "numbers",
        "end",
        "value",
        ("find where the largest value is", "find the position of the largest value"),
        (
            Choice(70, "the first one, counted from 0", "A.index(max(A))", f"A.indexOf({_MAX})"),
            Choice(
                25, "the first one, counted from 1", "A.index(max(A)) + 1", f"A.indexOf({_MAX}) + 1"
            ),
            Choice(
                20,
                "the first one, counted from the end",
                "len(A) - A.index(max(A))",
                f"A.length - A.indexOf({_MAX})",
            ),
            Choice(
                10,
                "the last one, counted from the end",
                "A[::-1].index(max(A))",
                f"[...A].reverse().indexOf({_MAX})",
            ),
        ),
    ),
    Operation(
        "middle",
        "numbers",
        "end",
        "value",
        ("find the middle value",),
        (
            Choice(70, "the later of two", "A[len(A) // 2]", "A[Math.floor(A.length / 2)]"),
            Choice(
                25,
                "the earlier of two",
                "A[(len(A) - 1) // 2]",
                "A[Math.floor((A.length - 1) / 2)]",
            ),
            Choice(
                20,
                "by size, the larger of two",
                "sorted(A)[len(A) // 2]",
                "[...A].sort((x, y) => x - y)[Math.floor(A.length / 2)]",
            ),
            Choice(
                10,
                "by size, the smaller of two",
                "sorted(A)[(len(A) - 1) // 2]",
                "[...A].sort((x, y) => x - y)[Math.floor((A.length - 1) / 2)]",
            ),
        ),
    ),
    Operation(
        "steps",
        "numbers",
        "end",
        "value",
        ("count the steps between neighbours",),
        (
            Choice(
                70,
                "only rises count",
                "sum(x < y for x, y in zip(A, A[1:]))",
                "A.slice(1).filter((y, i) => A[i] < y).length",
            ),
            Choice(
                25,
                "only falls count",
                "sum(x > y for x, y in zip(A, A[1:]))",
                "A.slice(1).filter((y, i) => A[i] > y).length",
            ),
            Choice(
                20,
                "every change counts",
                "sum(x != y for x, y in zip(A, A[1:]))",
                "A.slice(1).filter((y, i) => A[i] !== y).length",
            ),
            Choice(
                10,
                "only equal neighbours count",
                "sum(x == y for x, y in zip(A, A[1:]))",
                "A.slice(1).filter((y, i) => A[i] === y).length",
            ),
        ),
    ),
    Operation(
        "groups",
        "numbers",
        "end",
        "value",
        ("split them into groups of K", "make groups of K"),
        (
            Choice(
                75,
                "a short group stays",
                "[A[i:i + K] for i in range(len(A)) if i % K == 0]",
                "A.map((x, i) => A.slice(i, i + K)).filter((x, i) => i % K === 0)",
            ),
            Choice(
                25,
                "a short group goes",
                "[A[i:i + K] for i in range(len(A) - J) if i % K == 0]",
                "A.slice(J).map((x, i) => A.slice(i, i + K)).filter((x, i) => i % K === 0)",
            ),
            Choice(
                15,
                "groups overlap, a short group goes",
                "[A[i:i + K] for i in range(len(A) - J)]",
                "A.slice(J).map((x, i) => A.slice(i, i + K))",
            ),
            Choice(
                10,
                "groups overlap, a short group stays",
                "[A[i:i + K] for i in range(len(A))]",
                "A.map((x, i) => A.slice(i, i + K))",
            ),
        ),
    ),
    # Words.
    _plain(
        "letter",
        ("words", "words", "keep"),
        'keep the words with an "a"',
        '"a" in x',
        'x.includes("a")',
    ),
    _plain(
        "long",
        ("words", "words", "keep"),
        "keep the words longer than J",
        "len(x) > J",
        "x.length > J",
    ),
    _plain(
        "lengths", ("words", "numbers", "map"), "take the length of each word", "len(x)", "x.length"
    ),
    Operation(
        "case",
        "words",
        "words",
        "map",
        ("put each word in capitals", "write each word in capitals"),
        (
            Choice(75, "all letters change", "x.upper()", "x.toUpperCase()"),
            Choice(
                30,
                "the first letter changes",
                "x[:1].upper() + x[1:]",
                "x.slice(0, 1).toUpperCase() + x.slice(1)",
            ),
            Choice(
                20,
                "the last letter changes",
                "x[:-1] + x[-1:].upper()",
                "x.slice(0, -1) + x.slice(-1).toUpperCase()",
            ),
        ),
    ),
    Operation(
        "shorten",
        "words",
        "words",
        "map",
        ("shorten each word",),
        (
            Choice(70, "the first letter stays", "x[:1]", "x.slice(0, 1)"),
            Choice(25, "two letters stay", "x[:2]", "x.slice(0, 2)"),
            Choice(20, "the last letter stays", "x[-1:]", "x.slice(-1)"),
            Choice(10, "the last letter goes", "x[:-1]", "x.slice(0, -1)"),
        ),
    ),
    Operation(
        "twice",
        "words",
        "words",
        "map",
        ("write each word twice",),
        (
            Choice(75, "nothing stands between", "x + x", "x + x"),
            Choice(30, "a dash stands between", 'x + "-" + x', 'x + "-" + x'),
            Choice(20, "a blank stands between", 'x + " " + x', 'x + " " + x'),
        ),
    ),
    Operation(
        "number",
        "words",
        "words",
        "map_at",
        ("number the words", "write its number to each word"),
        (
            Choice(70, "from 0, before the word", "str(i) + x", "String(i) + x"),
            Choice(25, "from 1, before the word", "str(i + 1) + x", "String(i + 1) + x"),
            Choice(20, "from 0, after the word", "x + str(i)", "x + String(i)"),
            Choice(10, "from 1, after the word", "x + str(i + 1)", "x + String(i + 1)"),
        ),
    ),
    Operation(
        "order",
        "words",
        "words",
        "value",
        ("sort the words", "put the words in order"),
        (
            Choice(70, "by the alphabet", "sorted(A)", "[...A].sort()"),
            Choice(
                25, "by length", "sorted(A, key=len)", "[...A].sort((x, y) => x.length - y.length)"
            ),
            Choice(
                20,
                "by the alphabet, from its end",
                "sorted(A, reverse=True)",
                "[...A].sort().reverse()",
            ),
            Choice(
                10,
                "by length, the longest first",
                "sorted(A, key=len, reverse=True)",
                "[...A].sort((x, y) => y.length - x.length)",
            ),
        ),
    ),
    Operation(
        "longest",
        "words",
        "end",
        "value",
        ("find the longest word",),
        (
            Choice(
                75,
                "the first of equal ones",
                "max(A, key=len)",
                "A.reduce((m, x) => x.length > m.length ? x : m)",
            ),
            Choice(
                25,
                "the last of equal ones",
                "max(A[::-1], key=len)",
                "A.reduce((m, x) => x.length >= m.length ? x : m)",
            ),
            Choice(
                15,
                "of equal ones the first by the alphabet",
                "max(sorted(A), key=len)",
                "[...A].sort().reduce((m, x) => x.length > m.length ? x : m)",
            ),
            Choice(
                10,
                "of equal ones the last by the alphabet",
                "max(sorted(A)[::-1], key=len)",
                "[...A].sort().reduce((m, x) => x.length >= m.length ? x : m)",
            ),
        ),
    ),
    Operation(
        "join",
        "words",
        "end",
        "value",
        ("join the words", "put the words together"),
        (
            Choice(70, "with a blank", '" ".join(A)', 'A.join(" ")'),
            Choice(25, "with a dash", '"-".join(A)', 'A.join("-")'),
            Choice(20, "with a comma", '",".join(A)', 'A.join(",")'),
            Choice(10, "with nothing between", '"".join(A)', 'A.join("")'),
        ),
    ),
    _plain("tally", ("words", "end", "value"), "count the words", "len(A)", "A.length"),
    _or_empty("opening", "words", "find the first word", "A[0]", "A.length ? A[0]"),
    _or_empty("closing", "words", "find the last word", "A[-1]", "A.length ? A[A.length - 1]"),
)
