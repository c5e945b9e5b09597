"""What the sandbox promises about JavaScript programs: node's meaning, and only values crossing."""

import json
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfdebug.sandbox import Sandbox, javascript_judge
from selfdebug.sandbox.channel import Channel, Lost
from selfdebug.sandbox.javascript_node import needs_node, node, node_command
from selfdebug.sandbox.javascript_realm import Realm
from selfdebug.types import Limits, Task, Test

QUICK = Limits(cpu_seconds=0.5, wall_factor=8)
ASSERT = "const assert = require('assert');\n"
FIXTURES = Path(__file__).parent / "fixtures" / "javascript"
with_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1, limits=QUICK) as box:
        yield box


@pytest.fixture
def judge(sandbox):
    def judge_one(code, test, entry="f", prelude="", kind="program", expected="", observe=""):
        task = task_of(test, entry, prelude, kind, expected)
        return sandbox.judge(task, code, observe=observe).results[0]

    return judge_one


def task_of(test, entry="f", prelude="", kind="program", expected=""):
    tests = (Test("t", kind, test, expected=expected),)
    return Task("task", "javascript", "", entry, tests, prelude=prelude)


def cases(name):
    """Read a fixture of cases: `=== title`, a program, `---`, a test (or input and output)."""
    found = {}
    for part in re.split(r"^=== ", (FIXTURES / f"{name}.txt").read_text(), flags=re.M)[1:]:
        title, _, rest = part.partition("\n")
        found[title] = rest.split("\n---\n")
    return found


RIGHT = cases("right")  # "title" or "title @ entry point"
WRONG = cases("wrong")  # "title -> status"
NEED_NODE = cases("node")


def entry_of(title):
    return title.partition(" @ ")[2] or "f"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_passes(judge, name):
    code, test = RIGHT[name]
    result = judge(code, ASSERT + test, entry=entry_of(name))
    assert result.status == "pass", result


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_program_gets_its_status(judge, name):
    code, test = WRONG[name]
    result = judge(code, ASSERT + test)
    assert result.status == name.partition(" -> ")[2], result


# ---- what is told about it


def test_a_wrong_value_is_told_with_call_expected_and_got(judge):
    code = "const f = (xs, o) => xs.concat(o.k)"
    test = "console.assert(JSON.stringify(f([1, 'a'], { k: 2 })) === JSON.stringify([1, 2]))"
    result = judge(code, test, expected="[1, 2]")
    assert (result.call, result.expected, result.got) == (
        "f([ 1, 'a' ], { k: 2 })",
        "[ 1, 2 ]",
        "[ 1, 'a', 2 ]",
    )
    assert "console.assert(" in result.message


def test_the_expected_value_may_be_a_variable_of_the_test(judge):
    result = judge("const f = () => 1", "var v0 = [2]\nif (f() !== v0) throw 'no'", expected="v0")
    assert (result.expected, result.got, result.message) == ("[ 2 ]", "1", "no")


def test_an_assertion_tells_what_it_expected(judge):
    result = judge("const f = () => 1", ASSERT + "assert.strictEqual(f(), 2)")
    assert (result.expected, result.got) == ("2", "1")


@pytest.mark.parametrize("prelude", ["", "const helper = () => 1;\nconst other = 2;\n"])
@pytest.mark.parametrize("export", ["", "export "])
def test_an_error_is_told_with_the_programs_own_line(judge, prelude, export):
    code = f"{export}const f = (x) => {{\n  const y = x;\n  return y.z.z;\n}};\n"
    result = judge(code, "f({})", prelude=prelude)
    assert (result.status, result.line) == ("exception", 3)
    assert result.message.startswith("TypeError: ")
    broken = judge(code + "let a = ;\n", "f({})", prelude=prelude)
    assert (broken.status, broken.line) == ("load_error", 5)


def test_observing_tells_lines_and_local_values(judge):
    code = (
        "const f = (n) => {\n  let s = 0;\n  for (let i = 0; i < n; i++) {\n    s += i;\n  }\n"
        "  if (s > 99)\n    s = 99;\n  return s;\n};\n"
    )
    assert judge(code, "f(3)", observe="lines").lines == (2, 3, 4, 6, 8)
    trace = judge(code, "f(1); f(3)", observe="locals").trace
    values = [dict(step.values) for step in trace if step.line == 4]
    assert [(found["i"], found["s"]) for found in values] == [("0", "0"), ("1", "0"), ("2", "1")]


def test_texts_of_hostile_values_are_harmless(judge):
    code = "const g = () => { throw 1 }\nconst f = () => ({ constructor: g, a: '\\ud800', b: [g] })"
    result = judge(code, "console.assert(f() === 1)")
    assert result.status == "wrong"
    result.got.encode()


def test_a_callbacks_failed_assertion_does_not_tell_what_it_expected(judge):
    code = "const f = g => { try { g(1) } catch (e) { return JSON.stringify([e, e.message]) } }"
    result = judge(code, ASSERT + "f(x => assert.strictEqual(x, 4711))")
    assert result.status == "wrong"
    assert "4711" not in result.got


# ---- helpers, names, other kinds of test


def test_the_tasks_helpers_win_over_the_candidates(judge):
    prelude = "const twice = x => x * 2;"
    code = "const twice = () => { throw new Error() }\nconst f = x => x\n"
    assert judge(code, "console.assert(twice(f(1)) === 2)", prelude=prelude).status == "pass"


def test_the_tasks_helpers_serve_the_candidate(judge):
    code = "const f = x => twice(x)"
    prelude = "const twice = x => x * 2;"
    assert judge(code, "console.assert(f(1) === 2)", prelude=prelude).status == "pass"


@pytest.mark.parametrize(
    ("code", "entry", "body", "status"),
    [
        ("const f = (a, b) => a + b", "f", {"args": [1, 2], "expected": 3}, "pass"),
        ("const f = (a, b) => a + b", "f", {"args": [1, 2], "expected": 4}, "wrong"),
        ("const f = () => 0.1 + 0.2", "f", {"args": [], "expected": 0.3, "atol": 1e-9}, "pass"),
        ("const f = () => 0.1 + 0.2", "f", {"args": [], "expected": 0.3}, "wrong"),
        ("const f = () => NaN", "f", {"args": [], "expected": {"$": "number", "v": "NaN"}}, "pass"),
        ("const f = async (x) => [x]", "f", {"args": [{"a": 1}], "expected": [{"a": 1}]}, "pass"),
        ("class S { neg(a) { return -a } }", "S.neg", {"args": [1], "expected": -1}, "pass"),
        ("const f = () => true", "f", {"args": [], "expected": 1}, "wrong"),
        ("const f = () => { throw new Error() }", "f", {"args": [], "expected": 1}, "exception"),
    ],
)  # fmt: skip
def test_tests_of_kind_call(judge, code, entry, body, status):
    assert judge(code, json.dumps(body), entry=entry, kind="call").status == status


@pytest.mark.parametrize("name", cases("stdio"))
def test_tests_of_kind_stdio(judge, name):
    code, stdin, stdout = cases("stdio")[name]
    body = json.dumps({"stdin": stdin, "stdout": stdout})
    result = judge(code, body, entry="", kind="stdio")
    assert result.status == name.partition(" -> ")[2], result


# ---- one realm judges many programs


def test_a_test_cannot_spoil_the_next_one(judge):
    spoil = "Array.prototype.mine = 1; leaked = 2; console.log = null; Math.random = () => 2; f()"
    assert judge("const f = () => 1", spoil).status == "pass"
    clean = (
        "console.assert([].mine === undefined && typeof leaked === 'undefined'); console.log(f());"
        "console.assert(Math.random() < 1)"
    )
    assert judge("const f = () => 1", clean).status == "pass"


def test_random_numbers_are_the_same_each_time(judge):
    code = "const f = () => Math.random()"
    first = judge(code, "console.assert(f() === 0 + Math.random() / 1e9)").got
    judge(code, "for (let i = 0; i < 9; i += 1) Math.random()")
    assert judge(code, "console.assert(f() === 2)").got == first


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: str(x) != "-0.0")
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda k: k != "$"), inner),
    max_leaves=20,
)  # fmt: skip


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(JSON_VALUES)
def test_plain_json_means_itself(judge, value):
    body = json.dumps({"args": [value], "expected": value})
    assert judge("const f = x => x", body, kind="call").status == "pass"


@pytest.mark.parametrize("length", [500, 9_000, 100_000])
@pytest.mark.parametrize("unit", ["a", "\u00e9", "\U00010001"])
def test_long_texts_cross_the_boundary(judge, unit, length):
    grows = f"for (let i = 0; i < {length}; i += 1) r += '{unit}'"
    grown = f"const f = () => {{ let r = ''; {grows}; return r }}"
    assert judge(grown, f"console.assert(f() === '{unit}'.repeat({length}))").status == "pass"


# ---- node


@with_node
@pytest.mark.parametrize("name", NEED_NODE)
def test_a_program_that_needs_node_gets_it(judge, name):
    code, test = NEED_NODE[name]
    assert judge(code, ASSERT + test).status == "pass"


@with_node
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("return 1", "wrong"),
        ("for (;;);", "timeout"),
        ("process.exit(0)", "exited_early"),
        ("process.reallyExit(0)", "exited_early"),
        ("return require('child_process').execSync('id')", "exception"),
        ("return require('fs').readdirSync('/etc')", "exception"),
        ("null.x", "exception"),
    ],
)
def test_node_is_enclosed_too(judge, body, status):
    result = judge(
        f"const f = () => {{ new URL('http://a.b'); {body} }}", "console.assert(f() === 2)"
    )
    assert result.status == status, result


@pytest.mark.parametrize(
    ("message", "needs"),
    [
        ("ReferenceError: Intl is not defined", True),
        ("ReferenceError: Buffer is not defined", True),
        ("Error: Cannot find module 'node:zlib'", True),
        ("Error: Cannot find module 'fs/promises'", True),
        ("ReferenceError: x is not defined", False),
        ("Error: Cannot find module './mine'", False),
        ("SyntaxError: unexpected token", False),
        ("TypeError: not a function", False),
    ],
)
def test_what_sends_a_program_to_node(message, needs):
    assert needs_node(message) is needs


class NodeLine:
    """The judge's line to a node that is not enclosed."""

    def __init__(self):
        ours, theirs = socket.socketpair()
        with theirs:
            command = node_command(node(), theirs.fileno(), 1 << 30)
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        self.channel = Channel(ours)

    def request(self, message, on_callback=None):
        message = {**message, "cpu": 1.0}
        while True:
            self.channel.send(message)
            reply = self.channel.receive()
            if reply.get("op") != "callback":
                break
            message = on_callback(reply)
        if reply.get("error", {}).get("status") == "timeout":
            raise Lost("timeout", reply["error"])
        return reply

    def close(self):
        self.channel.close()
        self.process.kill()
        self.process.wait()


@with_node
@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_node_runs_what_quickjs_runs(name):
    code, test = RIGHT[name]
    line = NodeLine()
    try:
        reply = line.request({"op": "load", "prelude": "", "code": code, "observe": ""})
        task = {"entry_point": entry_of(name), "prelude": ""}
        runner = javascript_judge.Runner(task, line, reply["names"])
        result = runner.run({"kind": "program", "body": ASSERT + test, "expected": ""})
    finally:
        line.close()
    assert result["status"] == "pass", result


# ---- the prelude says what node says


@with_node
def test_the_prelude_agrees_with_node():
    lines = (FIXTURES / "expressions.txt").read_text().splitlines()
    program = "const f = (text) => require('util').inspect(eval(text), { depth: 9 })\n"
    ask = f"{program}const lines = {json.dumps(lines)}\n"
    script = ask + "console.log(JSON.stringify(lines.map(f)))"
    wanted = subprocess.run([node(), "-e", script], capture_output=True, text=True, check=True)
    realm = Realm("candidate")
    realm.call("handle", json.dumps({"op": "load", "code": ask}))
    call = {"op": "call", "target": "f"}
    for line, expected in zip(lines, json.loads(wanted.stdout), strict=True):
        reply = realm.call("handle", json.dumps({**call, "args": json.dumps([line])}))
        assert reply == "=" + json.dumps(expected, ensure_ascii=False), line
