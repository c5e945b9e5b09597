"""The Python mutators on bugs as people and models make them: each is mended and explained."""

from __future__ import annotations

import ast
import time
from random import Random

import pytest

from selfdebug import plugins
from selfdebug.languages.python_edit.program import Program, read, syntax_error
from selfdebug.languages.python_edit.tokens import tokens
from selfdebug.mutators import (
    python_api_misuse,
    python_logic,
    python_off_by_one,
    python_syntax,
)

SEARCH = '''def find(items, wanted):
    """Return where `wanted` is in a sorted list, or -1."""
    low, high = 0, len(items) - 1
    while low <= high:  # nothing left when they cross
        middle = (low + high) // 2
        if items[middle] == wanted:
            return middle
        if items[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1
'''


def mended(mutator, broken, right):
    """The repair whose program means the same as the right one, and its place in the order."""
    wanted = ast.dump(ast.parse(right))
    for place, repair in enumerate(mutator.repair(broken)):
        if ast.dump(ast.parse(repair.fixed)) == wanted:
            return place, repair
    return None


def offers(mutator, broken, right):
    return mended(mutator, broken, right) is not None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("range(n)", "range(n + 1)"),
        ("range(1, n - 1)", "range(1, n)"),
        ("range(1, n)", "range(n)"),
        ("range(n, 0, -1)", "range(n, -1, -1)"),
        ("a[i]", "a[i - 1]"),
        ("a[len(a) - i]", "a[len(a) - i - 1]"),
        ("a[1:]", "a[2:]"),
        ("a[: n - 1]", "a[:n]"),
        ("a[1:]", "a"),
        ("n < 10", "n <= 10"),
        ("len(a) < 3", "len(a) < 2"),
        ("fib(n - 1) + fib(n - 1)", "fib(n - 1) + fib(n - 2)"),
        ("n * n // 2", "n * (n + 1) // 2"),
        ("list(enumerate(a))", "list(enumerate(a, 1))"),
        ("re.findall(r'\\d*', a)", "re.findall(r'\\d+', a)"),
    ],
)
def test_off_by_one(wrong, right):
    program = "import re\ndef f(a, n):\n    i = 0\n    return {}\n"
    assert offers(python_off_by_one, program.format(wrong), program.format(right))


@pytest.mark.parametrize(
    ("operator", "wrong", "right"),
    [
        ("difference", "x = b - a + 1", "x = b - a"),
        ("limit", "if len(a) < n + 1: g()", "if len(a) < n: g()"),
        ("listed", "return [i + 1 for i in range(n)]", "return [i for i in range(n)]"),
        ("listed", "return 0 if a else 0", "return 1 if a else 0"),
        ("listed", "seen = {0: 0}", "seen = {0: 1}"),
        ("counted", "x = a.index(b) + 1", "x = a.index(b)"),
        ("counted", "x = range(a.count(b) - 1)", "x = range(a.count(b))"),
        ("handed", "x = nlargest(n - 1, a)", "x = nlargest(n, a)"),
        ("handed", "x = a.split(maxsplit=0)", "x = a.split(maxsplit=1)"),
        ("handed", "def g(k=2): pass", "def g(k=1): pass"),
        ("measured", "x = (len(a) - 1) // 2", "x = len(a) // 2"),
        ("found_place", "x = sorted(a)[b + 1]", "x = sorted(a)[b]"),
        ("bisection", "x = bisect_right(a, b)", "x = bisect_left(a, b)"),
        ("result", "return max(a) - 1", "return max(a)"),
        ("result", "total = a * b + 1", "total = a * b"),
        ("result", "x += b + 1", "x += b"),
        ("factor", "x *= 3", "x *= 2"),
        ("emptiness", "while len(a) > 1: a.sort()", "while a: a.sort()"),
        ("unread_element", "if n in a[1:]: g()", "if n in a: g()"),
        ("unread_element", "for x in b.rows[:-1]: g()", "for x in b.rows: g()"),
        ("unread_element", "x = set(b[1:])", "x = set(b)"),
        ("shifted_range", "range(1, n + 1)", "range(n)"),
        ("shifted_range", "range(1, n)", "range(2, n + 1)"),
        ("shifted_slice", "x = a[i + 1:n + 1]", "x = a[i:n]"),
        ("stride", "range(0, n, 3)", "range(0, n, 2)"),
        ("stride", "x = a[::-2]", "x = a[::-1]"),
        ("reversed_edge", "x = a[:0:-1]", "x = a[::-1]"),
        ("repetition", "re.sub('a', '', n)", "re.sub('a+', '', n)"),
        ("group", r"re.sub('(a)(b)', r'\\2', n)", r"re.sub('(a)(b)', r'\\1', n)"),
        ("width", "x = f'{n:.1f}'", "x = f'{n:.2f}'"),
        ("width", "x = '{:03d}'.format(n)", "x = '{:02d}'.format(n)"),
    ],
)
def test_off_by_one_is_put_in_by_its_operator(operator, wrong, right):
    program = "import re\ndef f(a, b, n):\n    i = len(a)\n    a.sort()\n    {}\n"
    # Another operator may make the same bug, and the seed decides which of them comes first.
    seeds = (Random(seed) for seed in range(8))
    bugs = [bug for rng in seeds for bug in python_off_by_one.mutate(program.format(right), rng)]
    found = {bug.mutator for bug in bugs if bug.broken == program.format(wrong)}
    assert f"python_off_by_one.{operator}" in found


def test_a_dotted_name_tells_no_whole_number():
    """An area that is one too large is nobody's off-by-one error."""
    program = "import math\ndef f(r):\n    area = math.pi * r * r\n    return 0.5 * area\n"
    assert not explained(python_off_by_one, program, ".result")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("a > b", "a < b"),
        ("a == b and b > 0", "a == b or b > 0"),
        ("a + b + 1", "a + 1"),
        ("a - b", "b - a"),
        ("a % b + 1.0", "a % b"),
        ("(a, b)", "(b, a)"),
        ("a if b else 0", "0 if b else a"),
        ("a + b / 2", "(a + b) / 2"),
        ("a / 2", "b / 2"),
        ("not a", "a"),
        ("a == 0 and b == 0", "a == 0"),
        ("[1, 2, 3, 5]", "[1, 3, 5]"),
        ("'  yes'", "'yes'"),
        ("a * 10", "a * 100"),
        ("text", "text[::-1]"),
        ("[[0] * 3] * a", "[[0] * 3 for _ in range(a)]"),
    ],
)
def test_logic_in_an_expression(wrong, right):
    program = "def f(a, b, text):\n    return {}\n"
    assert offers(python_logic, program.format(wrong), program.format(right))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("total = x", "total += x"),
        ("total -= x", "total += x"),
        ("last += x", "total += x"),
        ("total += x\n        total += x", "total += x"),
        ("total = 0\n        total += x", "total += x"),
        ("total += x\n        return total", "total += x\n    return total"),
        ("if x > 3:\n            total += x", "total += x"),
        ("continue", "break"),
        ("# total += x\n        last = x", "total += x\n        last = x"),
        ("if x: break\n        last = x", "if not x: break\n        last = x"),
    ],
)
def test_logic_in_a_statement(wrong, right):
    program = "def f(a):\n    total = last = 0\n    for x in a:\n        {}\n"
    assert offers(python_logic, program.format(wrong), program.format(right))


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        ("def f(a):\n    a * 2\n", "def f(a):\n    return a * 2\n"),
        (
            "def f(a):\n    while a > 0:\n        g(a)\n",
            "def f(a):\n    while a > 0:\n        g(a)\n        a -= 1\n",
        ),
        (
            "def f(a):\n    if a:\n        return True\n    return False\n",
            "def f(a):\n    if a:\n        return False\n    return True\n",
        ),
        (
            "def f(a):\n    if a:\n        x = 1\n    else:\n        x = 2\n    return x\n",
            "def f(a):\n    if a:\n        x = 2\n    else:\n        x = 1\n    return x\n",
        ),
        (
            "def f(a, seen=[]):\n    seen.append(a)\n    return seen\n",
            "def f(a, seen=[]):\n    seen = []\n    seen.append(a)\n    return seen\n",
        ),
        (
            "def f(n):\n    return n * f(n - 1)\n",
            "def f(n):\n    if n <= 1:\n        return 1\n    return n * f(n - 1)\n",
        ),
        (
            "def f(paths, path):\n    paths.append(path)\n    return paths\n",
            "def f(paths, path):\n    paths.append(path[:])\n    return paths\n",
        ),
    ],
)
def test_logic_over_several_lines(broken, right):
    assert offers(python_logic, broken, right)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("a - b", "abs(a - b)"),
        ("sorted(a)", "sorted(set(a))"),
        ("a == b", "set(a) == set(b)"),
        ("max(a)", "min(a)"),
        ("a.lower()", "a.upper()"),
        ("a.strip", "a.strip()"),
        ("str(a + b)", "a + b"),
        ("a.sort()", "sorted(a)"),
        ("a.join(',')", "','.join(a)"),
        ("split(b, a)", "split(a, b)"),
        ("sorted(a)", "sorted(a, reverse=True)"),
        ("a.length", "len(a)"),
        ("a.toLowerCase()", "a.lower()"),
        ("null", "None"),
        ("a.push(b)", "a.append(b)"),
        ("sqrt(a)", "math.sqrt(a)"),
        ("'a' * b", "a * b"),
        ("total(a)", "sum(a)"),
        ("md5('a')", "md5(a.encode())"),
    ],
)
def test_api_misuse(wrong, right):
    program = "import math\ndef f(a, b):\n    return {}\n"
    assert offers(python_api_misuse, program.format(wrong), program.format(right))


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        (
            "def f(a):\n    return sqrt(a)\n",
            "from math import sqrt\ndef f(a):\n    return sqrt(a)\n",
        ),
        ("def f(a):\n    re.sub(a)\n", "import re\ndef f(a):\n    re.sub(a)\n"),
        ("def f(a):\n    a = a.sort()\n", "def f(a):\n    a.sort()\n"),
        ("def f(a):\n    a.strip()\n", "def f(a):\n    a = a.strip()\n"),
        ("def f(a):\n    print(a + 1)\n", "def f(a):\n    return a + 1\n"),
        (
            "def f(a):\n    for i, x in a:\n        g(i, x)\n",
            "def f(a):\n    for i, x in enumerate(a):\n        g(i, x)\n",
        ),
        (
            "class A:\n    def f(self):\n        g()\n    def g(self):\n        return 1\n",
            "class A:\n    def f(self):\n        self.g()\n    def g(self):\n        return 1\n",
        ),
        ("def f(blue):\n    return 2 * nums\n", "def f(nums):\n    return 2 * nums\n"),
    ],
)
def test_api_misuse_over_several_lines(broken, right):
    assert offers(python_api_misuse, broken, right)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("while low <= high:", "while low <= high"),
        ("while low <= high:", "while low <= high {"),
        ("while low <= high:", "whlie low <= high:"),
        ("len(items)", "len(items"),
        ("len(items)", "len items)"),
        ("len(items)", "len(items]"),
        ("(low + high) // 2", "(low + high)) // 2"),
        ("items[middle] == wanted", "items[middle] = wanted"),
        ("items[middle] == wanted", "items[middle] === wanted"),
        ("items[middle] < wanted", "items[middle < wanted"),
        ("    low, high", "low, high"),
        ("            return middle", "        return middle"),
        ("        else:", "         else:"),
        ("def find(", "function find("),
        ("low = middle + 1", "int low = middle + 1"),
        ("low = middle + 1", "low = middle +"),
        ("# nothing", "// nothing"),
        ('or -1."""', "or -1."),
        ("items, wanted):", "items wanted):"),
    ],
)
def test_syntax(wrong, right):
    """Here the columns are (right, wrong)."""
    broken = SEARCH.replace(wrong, right, 1)
    assert syntax_error(broken) is not None
    place, repair = mended(python_syntax, broken, SEARCH) or (99, None)
    assert place < 8
    assert repair is not None
    assert abs(repair.line - next(_differing_lines(broken, SEARCH))) <= 1


def _differing_lines(left, right):
    pairs = zip(left.split("\n"), right.split("\n"), strict=False)
    return (number for number, (a, b) in enumerate(pairs, 1) if a != b)


def test_several_slips_are_mended_at_once_and_each_is_told():
    broken = (
        SEARCH.replace("high:", "high", 1)
        .replace("len(items)", "len(items))")
        .replace("        else:", "        otherwise:")
        .replace("middle - 1", "middle - 1)")
    )
    place, repair = mended(python_syntax, broken, SEARCH)
    assert place == 0
    assert all(f"ine {line}" in repair.explanation for line in (3, 4, 10, 11))


def test_a_program_that_compiles_has_no_syntax_repair():
    assert list(python_syntax.repair(SEARCH)) == []


@pytest.mark.parametrize("mutator", [python_logic, python_off_by_one, python_api_misuse])
def test_a_program_that_does_not_compile_has_only_syntax_repairs(mutator):
    assert list(mutator.repair(SEARCH.replace("high:", "high"))) == []


def test_an_explanation_says_what_where_and_what_to_change():
    broken = SEARCH.replace("len(items) - 1", "len(items)")
    _, repair = mended(python_off_by_one, broken, SEARCH)
    assert repair.line == 3
    assert "line 3" in repair.explanation.lower()
    assert "`low, high = 0, len(items)`" in repair.explanation
    assert "`low, high = 0, len(items) - 1`" in repair.explanation
    assert "one too high" in repair.explanation


def test_a_range_that_stops_short_is_explained_by_the_value_it_misses():
    program = "def f(n):\n    return sum(range(1, n + 1))\n"
    bugs = python_off_by_one.mutate(program, Random(0))
    short = next(bug for bug in bugs if "range(1, n))" in bug.broken)
    assert short.mutator == "python_off_by_one.range_end"
    assert "never reaches n" in short.explanation


def test_comments_and_layout_are_kept():
    program = "def f( a,b ):   # sum\n    return (  a+b )  # of both\n\n\n# end\n"
    for mutator in (python_logic, python_off_by_one, python_api_misuse):
        for bug in mutator.mutate(program, Random(0)):
            assert bug.broken.endswith("\n\n\n# end\n")
            assert "  # of both" in bug.broken


def test_offsets_count_characters_and_not_bytes():
    program = read('def f(ä):\n    return "é" + ä * 3  # ñ\n')
    assert program is not None
    assert [program.text(node) for node in program.of(ast.Name)] == ["ä"]
    bugs = list(python_logic.mutate(program.code, Random(0)))
    assert 'def f(ä):\n    return "é" + ä + 3  # ñ\n' in {bug.broken for bug in bugs}


def test_windows_line_ends_survive():
    program = SEARCH.replace("\n", "\r\n")
    for mutator in (python_logic, python_off_by_one, python_api_misuse, python_syntax):
        for bug in mutator.mutate(program, Random(0)):
            assert bug.broken.replace("\r\n", "").count("\n") <= 2  # of lines put in
            assert "\r" not in bug.explanation


def test_docstrings_and_annotations_are_no_code_to_change():
    program = 'def f(a: list[int] = 3) -> dict[str, int]:\n    """Return a < 3."""\n    return a\n'
    for mutator in (python_logic, python_off_by_one, python_api_misuse):
        for bug in mutator.mutate(program, Random(0)):
            assert "list[int]" in bug.broken
            assert "Return a < 3." in bug.broken


def test_the_warnings_of_a_program_are_not_ours():
    """Warnings are errors here: an invalid escape in a candidate must not raise."""
    program = "def f(a):\n    return a is 3 or re.sub('\\d', '', a)\n"
    assert list(python_logic.repair(program))
    assert list(python_logic.mutate(program, Random(0)))


def test_a_program_of_twenty_lines_has_hundreds_of_repairs_in_no_time():
    program = max(
        (t.reference for t in plugins.load("benchmarks", "demo").load("references")
         if t.language == "python" and t.reference.count("\n") <= 25),
        key=len,
    )  # fmt: skip
    start = time.perf_counter()
    found = [
        repair
        for mutator in (python_logic, python_off_by_one, python_api_misuse)
        for repair in mutator.repair(program)
    ]
    assert 300 <= len(found) <= 3000
    assert time.perf_counter() - start < 2  # 0.1 s on an idle core


def test_the_likely_comes_before_the_far_fetched():
    place, _ = mended(python_logic, SEARCH.replace("== wanted", "!= wanted"), SEARCH)
    assert place < 20


def test_tokens_cover_a_text_that_no_tokenizer_accepts():
    text = "if (x && 'open\n  y = [1)  # end\n"
    found = tokens(text)
    assert [t.text for t in found] == [
        *("if", "(", "x", "&&", "'open", "\n", "y", "=", "[", "1", ")", "# end", "\n")
    ]
    assert all(text[t.start : t.end] == t.text for t in found)


def test_parentheses_are_put_where_an_expression_needs_them():
    program = Program("x = a * b\ny = f(a)\nz = -a ** 2\n")
    names = [node for node in program.of(ast.Name) if node.id == "a"]
    texts = [program.put(node, "p + q", 7).text for node in names]
    assert texts == ["(p + q)", "p + q", "(p + q)"]


def explained(mutator, code, operator):
    return [m.explanation for m in mutator.mutate(code, Random(0)) if m.mutator.endswith(operator)]


LOOP = """\
def f(xs):
    total = 0
    for x in xs:
        if x > 1:
            total += x
    return total
"""


def test_a_lost_block_is_told_with_all_of_its_lines():
    texts = explained(python_logic, LOOP, ".statement")
    assert any("`for x in xs:`, `if x > 1:` and `total += x`" in text for text in texts)


def test_a_lost_condition_is_told_as_a_line_before_the_step_and_not_in_its_place():
    (text,) = explained(python_logic, LOOP, ".guard")
    assert "`total += x` lacks a condition; put `if x > 1:` before it and indent it" in text


def test_braces_are_told_with_the_one_at_the_end():
    for text in explained(python_syntax, LOOP, ".braces"):
        assert "take out the `}` that ends it" in text


def test_a_default_that_lasts_is_told_with_the_line_that_makes_a_fresh_one():
    code = "def f(x):\n    found = []\n    found.append(x)\n    return found\n"
    (text,) = explained(python_logic, code, ".mutable_default")
    assert "make it in the body, `found = []`" in text


def test_a_conversion_is_no_copy():
    code = "def f(xs):\n    xs = list(xs)\n    ys = list(xs)\n    return xs, ys\n"
    broken = [m.broken for m in python_logic.mutate(code, Random(0)) if "alias" in m.mutator]
    assert broken == [code.replace("ys = list(xs)", "ys = xs")]


def test_no_number_that_is_added_or_taken_away_becomes_negative():
    offered = [m.fixed for m in python_logic.repair("def f(x):\n    x -= 2\n    return x - 1\n")]
    assert offered
    assert not any("- -" in code or "-= -" in code for code in offered)
