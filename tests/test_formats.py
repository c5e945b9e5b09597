"""How data sets write their tests becomes independent tests, and their files are found."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdebug.formats import evalplus
from selfdebug.formats.data import DataSet, check_split, present, rows
from selfdebug.formats.javascript_checks import (
    declared,
    error_line,
    expected_value,
    split_asserts,
    split_groups,
)
from selfdebug.formats.python_checks import (
    called,
    imports_for,
    prelude,
    split_check,
    split_examples,
)
from selfdebug.types import SelfdebugError

DATA = DataSet(
    file="some/rows.jsonl",
    url="https://example.org/rows",
    columns=("id", "text"),
    hub="someone/rows",
)


# Python checks


def test_python_each_assert_becomes_a_test_with_its_set_up() -> None:
    source = """
METADATA = {}

def check(candidate):
    import math
    assert candidate(1) == 2, "one"
    base = 3
    assert candidate(
        base) == math.pi
    for i in range(3):
        assert candidate(i) == i
"""
    assert split_check(source, "f", "") == [
        'import math\nassert f(1) == 2, "one"\n',
        "import math\nbase = 3\nassert f(\n        base) == math.pi\n",
        "import math\nbase = 3\nfor i in range(3):\n    assert f(i) == i\n",
    ]


def test_python_an_assert_that_does_not_call_the_candidate_is_dropped() -> None:
    source = 'def check(candidate):\n    assert True, "fine"\n    assert candidate(1)\n'
    assert split_check(source, "f", "") == ["assert f(1)\n"]


def test_python_a_candidate_compared_with_itself_is_compared_with_the_reference() -> None:
    source = "def check(candidate):\n    assert candidate([2, 1]) == f([2, 1])\n"
    (body,) = split_check(source, "f", "def f(x):\n    return sorted(x)\n")
    assert body == (
        "def expected_f(x):\n    return sorted(x)\nassert f([2, 1]) == expected_f([2, 1])\n"
    )


def test_python_only_names_are_renamed_not_texts() -> None:
    source = "def check(candidate):\n    assert candidate('candidate é', candidate(1)) == 'é'\n"
    assert split_check(source, "f", "") == ["assert f('candidate é', f(1)) == 'é'\n"]


def test_python_a_prompt_promises_its_imports_and_helpers() -> None:
    prompt = 'import math\n\ndef helper(x):\n    return x\n\ndef f(x):\n    """Doc."""\n'
    assert prelude(prompt, "f") == "import math\ndef helper(x):\n    return x\n"


def test_python_examples_are_doctests_and_arrows() -> None:
    prompt = '''
def f(x):
    """Do it.
    >>> f(1)
    2

    f(2) ==> 'a'
    f([3]) = true.  f(n) => n + 1
    f(4) -> 5 (because)
    f(n) == 7
    """
'''
    assert split_examples(prompt, "f") == [
        "assert f(1) == 2\n",
        "assert f(2) == 'a'\n",
        "assert f(4) == 5\n",
    ]


def test_python_the_function_that_asserts_are_about() -> None:
    program = "import sys, re\nclass Pair: ...\ndef other(): ...\ndef chain(x): ...\n"
    asserts = ["assert chain([Pair()]) == sys.maxsize"]
    assert called(program, asserts) == "chain"
    assert imports_for(program, asserts) == "import sys, re\n"
    assert imports_for("import os\n", asserts) == ""


# JavaScript checks


def test_javascript_each_assert_becomes_a_test_with_its_expected_value() -> None:
    source = """
const testIt = () => {
  console.assert(f(1) === 2)
  // a remark
  const list = [1]
  console.assert(
    JSON.stringify(f(list)) ===
      JSON.stringify([2, 3])
  )
  for (let i = 0; i < 3; i++) {
    console.assert(3 == f(i))
  }
  console.assert(0.5 === f(0))
  console.assert(f(0))
}
testIt()
"""
    checks = split_asserts(source)
    assert [check.expected for check in checks] == ["2", "[2, 3]", "", "0.5", ""]
    assert checks[0].body == "console.assert(f(1) === 2)\n"
    assert checks[1].body.startswith("const list = [1]\nconsole.assert(\n  JSON.stringify(")
    assert checks[2].body.count("console.assert") == 1
    assert "const list = [1]\nfor (let i = 0" in checks[2].body


def test_javascript_groups_of_variables() -> None:
    source = """
const _ = require("lodash")
function compare(a, b){ return _.isEqual(a, b) }
var arg00 = [1, 2];
var x0 = f(arg00);
var v0 = {a: 'é'};
if(!compare(x0, v0)){ throw 'Error' + JSON.stringify(x) }
var x1 = f();
var v1 = 2;
if(!compare(x1, v1)){ throw 'Error' }
"""
    assert split_groups(source) == [
        [("arg00", "[1, 2]"), ("x0", "f(arg00)"), ("v0", "{a: 'é'}")],
        [("x1", "f()"), ("v1", "2")],
    ]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("console.assert(f(1) === 'a')", "'a'"),
        ("assert.deepStrictEqual(f([1]), [2, 3])", "[2, 3]"),
        ("const x = f(1);\nassert.equal(x, 4)", "4"),
        ("assert.ok(f(1))", ""),
        ("const x = 1;", ""),
    ],
)
def test_javascript_the_value_that_an_assert_expects(program: str, expected: str) -> None:
    assert expected_value(program) == expected


def test_javascript_what_stands_before_the_entry_point() -> None:
    prompt = "/* one */\nconst g = (x) => {\n  return x\n}\n/* two */\nconst f = (x) => {\n"
    assert declared(prompt, "f") == "/* one */\nconst g = (x) => {\n  return x\n}\n/* two */\n"
    assert declared("function f(x) {\n", "f") == ""


def test_javascript_the_line_of_a_syntax_error() -> None:
    assert error_line("const f = (x) => x;\n") == 0
    assert error_line("let x = 1;\nlet y = ;\n") == 2
    assert error_line("f(1;\n") == 1


# EvalPlus's programs

ORIGIN = """import numpy as np

def assertion(out, exp, atol):
    exact_match = out == exp
    if not exact_match and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert exact_match


def check(candidate):
    inputs = [[1.5], ["a, ]"], [(2, [3])]]
    results = [1.5000001, {'k': "it's"}, [3]]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 1e-06)
"""
ANSWERS = {"1.5": 1.5, "'a, ]'": {"k": "it's"}, "(2, [3])": [3]}


def run(program: str, **names: object) -> None:
    exec(program, dict(names))


def test_evalplus_programs_run_without_numpy() -> None:
    program = evalplus.program(ORIGIN, "f")
    assert "numpy" not in program
    run(program, f=lambda value: ANSWERS[repr(value)])
    with pytest.raises(AssertionError):
        run(program, f=lambda value: 9.0)


def test_evalplus_inputs_can_be_left_out() -> None:
    program = evalplus.program(ORIGIN, "f", keep="i == 0")
    run(program, f=lambda value: 1.5)


def test_evalplus_first_cases_are_read_without_the_rest() -> None:
    assert evalplus.cases(ORIGIN, 2) == [([1.5], 1.5000001), (["a, ]"], {"k": "it's"})]
    assert len(evalplus.cases(ORIGIN, 9)) == 3
    cut = ORIGIN.replace("[(2, [3])]]", "[(2, [3")  # what is not asked for is not parsed
    assert evalplus.cases(cut, 2) == evalplus.cases(ORIGIN, 2)
    assert evalplus.cases("def check(candidate):\n    pass\n", 5) == []


def test_evalplus_forgotten_assert_is_put_in() -> None:
    program = """import numpy as np
def assertion(out, exp, atol):
    if isinstance(out, bool):
        exact_match = out == exp
    else:
        exact_match = exp == (out is not None)


inputs = [[1]]
results = [True]
for i, (inp, exp) in enumerate(zip(inputs, results)):
    assertion(f(*inp), exp, 0)
"""
    run(evalplus.program(program, "f"), f=lambda _: True)
    with pytest.raises(AssertionError):
        run(evalplus.program(program, "f"), f=lambda _: None)


def test_evalplus_roots_are_tried_in_the_polynomial() -> None:
    program = """import math
def _poly(xs, x):
    return sum([coeff * math.pow(x, i) for i, coeff in enumerate(xs)])

def check(candidate):
    inputs = [[[-2, 1]]]
    results = [2.0]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assert _poly(*candidate(*inp), inp) <= 0.0001
"""
    run(evalplus.program(program, "find_zero"), find_zero=lambda xs: 2.00001)
    for wrong in (5, -5):  # a value far below zero is no root either
        with pytest.raises(AssertionError):
            run(evalplus.program(program, "find_zero"), find_zero=lambda xs, x=wrong: x)


NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, 1.0 + 1e-8, 1e300, -1e-7, True, 3]),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, st.text(max_size=2), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)


@settings(deadline=None)  # numpy is imported by the first example
@given(out=VALUES, expected=st.one_of(NUMBERS, st.lists(NUMBERS, max_size=3)))
def test_evalplus_allclose_is_numpys(out: object, expected: object) -> None:
    np = pytest.importorskip("numpy")
    space: dict[str, type] = {}
    exec(evalplus.NUMPY, space)

    def verdict(allclose: object) -> bool:
        try:
            with np.errstate(all="ignore"):
                return bool(allclose(out, expected, rtol=1e-7, atol=1e-6))
        except (TypeError, ValueError):
            return False  # a test that raises fails

    # To numpy None is close to an empty list; a program that returns None has answered nothing.
    ours = verdict(space["np"].allclose)
    assert ours == (verdict(np.allclose) and "None" not in repr(out))


# Where data is


def test_rows_of_every_kind_of_file(tmp_path: Path) -> None:
    found = [{"id": 1, "text": "a\u2028b"}, {"id": 2, "text": "ü"}]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "a.json").write_text(json.dumps(found))
    for name in ("a.jsonl", "a.jsonl.gz", "a.json"):
        data = DataSet(file=name, url="https://example.org", columns=("id", "text"))
        assert list(rows(data, str(tmp_path))) == found


def test_absent_data_says_where_it_is_looked_for_and_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFDEBUG_DATA", str(tmp_path / "data"))
    assert not present(DATA)
    with pytest.raises(SelfdebugError) as error:
        list(rows(DATA))
    text = str(error.value)
    assert str(tmp_path / "data") in text
    assert "https://example.org/rows" in text
    assert "$SELFDEBUG_DATA" in text
    assert "\n" not in text


def test_data_is_found_by_the_variable_or_beside_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("data", "shared/data"):
        (tmp_path / folder / "some").mkdir(parents=True)
        (tmp_path / folder / "some" / "rows.jsonl").write_text(f'{{"id": "{folder}", "text": ""}}')
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("SELFDEBUG_DATA", raising=False)
    assert next(rows(DATA))["id"] == "shared/data"
    monkeypatch.setenv("SELFDEBUG_DATA", str(tmp_path / "data"))
    assert next(rows(DATA))["id"] == "data"


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "rows.jsonl").write_text('{"id": 1, "text": ""}\n{"id": 2}\n')
    with pytest.raises(SelfdebugError, match=r"some/rows.jsonl, row 2: no column 'text'"):
        list(rows(DATA, str(tmp_path)))


def test_a_wrong_split_is_answered_with_the_right_ones() -> None:
    with pytest.raises(SelfdebugError, match="mbpp has no split 'dev'; it has: test, train"):
        check_split("mbpp", "dev", ("test", "train"))


def test_a_data_set_without_a_place_on_the_hub_says_so() -> None:
    alone = DataSet(file="a.jsonl", url="https://example.org", columns=())
    with pytest.raises(SelfdebugError, match="not on the Hugging Face hub; get it from https"):
        list(rows(alone, "hub"))


def test_an_unreachable_hub_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    script = (
        "from selfdebug import benchmarks\nfrom selfdebug.types import SelfdebugError\n"
        "try: next(benchmarks.load('openai/openai_humaneval'))\n"
        "except SelfdebugError as error: print(error)\n"
    )
    # Offline by order, so that no test waits for a network.
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=True,
    )
    assert done.stdout.startswith("cannot read openai/openai_humaneval from the Hugging Face hub (")
    assert done.stdout.endswith("the file is also at https://github.com/openai/human-eval\n")
    assert done.stdout.count("\n") == 1


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(SelfdebugError, match=r"pip install 'selfdebug\[data\]'"):
        list(rows(DATA, "hub"))
