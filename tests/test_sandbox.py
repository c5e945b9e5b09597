"""What the sandbox promises about Python programs: the right status, and only values crossing."""

import json
import threading

import pytest

from selfdebug.sandbox import Sandbox, SandboxError
from selfdebug.types import Limits, Task, Test

QUICK = Limits(cpu_seconds=0.3, wall_factor=3)

ADD = Task(
    id="add",
    language="python",
    prompt="Add two values.",
    entry_point="add",
    tests=(
        Test("ints", "program", "assert add(1, 2) == 3"),
        Test("lists", "program", "assert add([1], [2]) == [1, 2]"),
        Test("call", "call", json.dumps({"args": [2, 2], "expected": 4})),
        Test("secret", "program", "assert add('a', 'b') == 'ab'", hidden=True),
    ),
)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=2) as box:
        yield box


def task(*bodies, entry="f", prelude="", kind="program"):
    tests = tuple(Test(f"t{i}", kind, body) for i, body in enumerate(bodies))
    return Task("task", "python", "", entry, tests, prelude=prelude)


def statuses(verdict):
    return [result.status for result in verdict.results]


def test_a_right_program_passes_every_test(sandbox):
    verdict = sandbox.judge(ADD, "def add(a, b):\n    return a + b\n")
    assert verdict.passed
    assert not verdict.unknown
    assert verdict.tier in "AB"
    assert verdict.trust == "split"


def test_a_wrong_value_is_told_with_input_expected_and_got(sandbox):
    verdict = sandbox.judge(ADD, "def add(a, b):\n    return a - b\n")
    first = verdict.first_failure
    assert first is not None
    assert (first.status, first.call, first.expected, first.got) == (
        "wrong",
        "add(1, 2)",
        "3",
        "-1",
    )


def test_an_exception_is_told_with_its_own_line(sandbox):
    result = sandbox.judge(ADD, "def add(a, b):\n    x = a\n    return [][x]\n").results[0]
    assert result.status == "exception"
    assert result.message == "IndexError: list index out of range"
    assert result.line == 3
    assert result.call == "add(1, 2)"


def test_hidden_results_score_but_are_not_visible(sandbox):
    verdict = sandbox.judge(ADD, "def add(a, b):\n    return a + b if a != 'a' else None\n")
    assert verdict.visible_passed
    assert not verdict.passed
    assert verdict.first_failure is None


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("def add(a, b:\n    return a", "load_error"),
        ("def other(a, b): return a", "load_error"),
        ("raise ValueError('no')", "load_error"),
        ("def add(a, b): return add(a, b)", "exception"),
        ("def add(a, b): raise SystemExit(0)", "exited_early"),
        ("import os\ndef add(a, b): os._exit(0)", "exited_early"),
        ("import os\nos._exit(0)", "exited_early"),
        ("import os\ndef add(a, b): os.abort()", "crashed"),
        ("def add(a, b):\n    while True: pass", "timeout"),
        ("import time\ndef add(a, b): time.sleep(60)", "timeout"),
        ("def add(a, b):\n    r = []\n    r.append(r)\n    return r", "unserialisable"),
        ("def add(a, b): return 'x' * (33 << 20)", "unserialisable"),
        ("def add(a, b): return len(bytearray(1 << 31))", "memory"),
        ("def add(a, b):\n    while True: print('x' * 99_999)", "output_limit"),
    ],
)
def test_every_way_to_fail_has_its_status(sandbox, code, status):
    limits = Limits(cpu_seconds=2) if status == "output_limit" else QUICK
    assert sandbox.judge(ADD, code, limits=limits).results[0].status == status


def test_a_time_out_names_the_call_and_the_running_line(sandbox):
    code = "def add(a, b):\n    n = 0\n    while True:\n        n += 1\n"
    # On a busy machine the wall clock would end it first, and from outside no line is seen.
    limits = Limits(cpu_seconds=0.3, wall_factor=40)
    result = sandbox.judge(ADD, code, limits=limits).results[0]
    assert result.call == "add(1, 2)"
    assert result.line in (3, 4)


def test_after_a_death_the_next_test_gets_a_fresh_process(sandbox):
    code = "import os\ndef add(a, b):\n    return os._exit(3) if a == 1 else a + b\n"
    verdict = sandbox.judge(ADD, code)
    assert statuses(verdict) == ["exited_early", "pass", "pass", "pass"]


def test_too_many_timeouts_end_the_run(sandbox):
    code = "def add(a, b):\n    while True: pass\n"
    verdict = sandbox.judge(ADD, code, limits=QUICK)
    assert statuses(verdict) == ["timeout", "timeout", "not_run", "not_run"]


def test_stop_early_runs_nothing_after_the_first_failure(sandbox):
    verdict = sandbox.judge(ADD, "def add(a, b): return 3", stop_early=True)
    assert statuses(verdict) == ["pass", "wrong", "not_run", "not_run"]


def test_only_the_chosen_tests_run(sandbox):
    verdict = sandbox.judge(ADD, "def add(a, b): return a + b", tests=ADD.visible_tests)
    assert [result.test_id for result in verdict.results] == ["ints", "lists", "call"]


def test_a_test_cannot_swallow_the_candidates_death(sandbox):
    body = "try:\n    f(1)\nexcept Exception:\n    pass\n"
    assert statuses(sandbox.judge(task(body), "import os\ndef f(x): os._exit(0)")) == [
        "exited_early"
    ]


def test_expected_exceptions_are_caught_by_the_test(sandbox):
    code = (
        "class Odd(ValueError): pass\ndef f(x):\n    raise Odd('odd') if x % 2 else KeyError(x)\n"
    )
    bodies = [
        "try:\n    f(1)\nexcept Odd as e:\n    assert str(e) == 'odd'\nelse:\n    assert False",
        "try:\n    f(1)\nexcept ValueError:\n    pass\nelse:\n    assert False",
        "try:\n    f(2)\nexcept KeyError:\n    pass\nelse:\n    assert False",
    ]
    assert sandbox.judge(task(*bodies), code).passed


def test_arguments_changed_in_place_come_back_when_nothing_is_returned(sandbox):
    body = "l = [3, 1, 2]\nf(l)\nassert l == [1, 2, 3]"
    assert sandbox.judge(task(body), "def f(l): l.sort()").passed


def test_a_candidate_cannot_empty_the_input_that_the_oracle_reads(sandbox):
    body = "l = [3, 1, 2]\nassert f(l) == sorted(l)"
    assert statuses(sandbox.judge(task(body), "def f(l):\n    l.clear()\n    return []")) == [
        "wrong"
    ]


def test_objects_with_methods_are_live(sandbox):
    code = (
        "class Stack:\n    def __init__(self, items=()):\n        self.items = list(items)\n"
        "    def push(self, x):\n        self.items.append(x)\n        return self\n"
        "    def __len__(self): return len(self.items)\n"
        "    def __iter__(self): return iter(self.items)\n"
    )
    bodies = [
        "s = Stack([1])\ns.push(2).push(3)\nassert len(s) == 3\nassert list(s) == [1, 2, 3]",
        "assert not Stack()",
        "s = Stack()\nassert s == s\nassert s != Stack()",
        "assert Stack().push(1).items == [1]",
    ]
    assert sandbox.judge(task(*bodies, entry="Stack"), code).passed


def test_a_method_is_an_entry_point(sandbox):
    body = json.dumps({"args": [[1, 2]], "expected": 3})
    code = "class Solution:\n    def total(self, xs): return sum(xs)\n"
    assert sandbox.judge(task(body, entry="Solution.total", kind="call"), code).passed


def test_objects_compared_by_the_programs_own_eq_do_not_pass(sandbox):
    code = "class P:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
    code += "def f(): return P()\n"
    verdict = sandbox.judge(task("assert P() == f()"), code)
    assert statuses(verdict) == ["unserialisable"]
    assert "__eq__" in verdict.results[0].message


def test_generators_and_callbacks_cross(sandbox):
    code = "def f(g, xs):\n    for x in xs:\n        yield g(x)\n"
    assert sandbox.judge(task("assert list(f(lambda x: x + 1, [1, 2])) == [2, 3]"), code).passed


def test_a_callback_gives_no_way_into_the_judge(sandbox):
    code = "def f(g):\n    return g.__globals__\n"
    assert statuses(sandbox.judge(task("assert f(lambda: 1)"), code)) == ["exception"]


def test_helpers_of_the_prompt_are_the_prompts_own(sandbox):
    prelude = "def double(x):\n    return 2 * x\n"
    cheat = "def f(x): return 0\ndef double(x): return 0\n"
    right = "def f(x): return double(x)\n"
    judged = task("assert f(3) == double(3)", prelude=prelude)
    assert statuses(sandbox.judge(judged, cheat)) == ["wrong"]
    assert sandbox.judge(judged, right).passed


def test_programs_that_read_and_print(sandbox):
    body = json.dumps({"stdin": "3\n4\n", "stdout": "7"})
    code = "a = int(input())\nprint(a + int(input()))\n"
    judged = task(body, entry="", kind="stdio")
    assert sandbox.judge(judged, code).passed
    assert sandbox.judge(judged, code + "import sys\nsys.exit(0)").passed
    assert statuses(sandbox.judge(judged, code + "raise ValueError('late')")) == ["exception"]
    wrong = sandbox.judge(judged, "print(8)").results[0]
    assert (wrong.status, wrong.got) == ("wrong", "8\n")


def test_a_test_that_never_ends_on_the_programs_value_is_a_time_out(sandbox):
    body = "x = f()\nwhile x != 3:\n    pass\n"
    limits = Limits(cpu_seconds=0.2, wall_factor=2)
    assert statuses(sandbox.judge(task(body), "def f(): return 4", limits=limits)) == ["timeout"]
    assert sandbox.judge(task(body), "def f(): return 3").passed


def test_the_same_program_does_the_same_again(sandbox):
    code = "import random\ndef f(): return [random.random(), hash('x')]"
    body = "assert f() == 0"
    got = {sandbox.judge(task(body), code).results[0].got for _ in range(4)}
    assert len(got) == 1


def test_executed_lines_and_local_values_are_observed(sandbox):
    code = "def add(a, b):\n    if a == b:\n        return 4\n    c = a + b\n    return c\n"
    lines = [r.lines for r in sandbox.judge(ADD, code, observe="lines").results]
    assert [set(found) & {2, 3, 4, 5} for found in lines[:3]] == [{2, 4, 5}, {2, 4, 5}, {2, 3}]
    trace = sandbox.judge(ADD, code, observe="locals").results[0].trace
    assert trace[-1].values == {"a": "1", "b": "2", "c": "3", "return": "3"}


def test_a_stream_is_judged_in_order_and_lazily(sandbox):
    taken = []

    def jobs():
        for number in range(300):
            taken.append(number)
            yield ADD, f"def add(a, b): return a + b if {number} % 2 else None"

    verdicts = sandbox.judge_many(jobs())
    first = next(verdicts)
    assert len(taken) < 300
    assert [v.passed for v in (first, *verdicts)] == [number % 2 == 1 for number in range(300)]


def test_a_list_is_judged_as_a_stream_is(sandbox):
    jobs = [(ADD, f"def add(a, b): return a + b  # {number}") for number in range(20)]
    assert [v.passed for v in sandbox.judge_many(jobs)] == [True] * 20


def test_many_threads_may_judge_at_once(sandbox):
    verdicts = []

    def judge():
        verdicts.append(sandbox.judge(ADD, "def add(a, b): return a + b").passed)

    threads = [threading.Thread(target=judge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 8


def test_a_killed_worker_is_replaced_and_the_program_judged_again():
    with Sandbox(workers=1) as box:
        worker = box._all[0]
        for process in worker._processes:
            process.kill()
        assert box.judge(ADD, "def add(a, b): return a + b").passed


def test_a_worker_that_keeps_dying_makes_the_verdict_unknown(monkeypatch):
    with Sandbox(workers=1) as box:
        worker = box._all[0]
        start = type(worker)._start

        def dead_on_arrival(self):
            start(self)
            for process in self._processes:
                process.kill()
                process.wait()

        monkeypatch.setattr(type(worker), "_start", dead_on_arrival)
        for process in worker._processes:
            process.kill()
        verdict = box.judge(ADD, "def add(a, b): return a + b")
        assert verdict.unknown
        assert not verdict.passed


def test_a_program_that_is_too_long_is_not_even_sent(sandbox):
    assert statuses(sandbox.judge(ADD, "#" * (1 << 20) + "\n"))[0] == "load_error"


def test_where_no_tier_holds_it_refuses(monkeypatch):
    from selfdebug.sandbox import probes

    class Report:
        tier = "D"
        checks = ()

    monkeypatch.setattr(probes, "best_tier", Report)
    with pytest.raises(SandboxError, match="doctor"):
        Sandbox()
    with Sandbox(workers=1, allow_unsafe=True) as box:
        verdict = box.judge(ADD, "def add(a, b): return a + b")
        assert verdict.passed
        assert verdict.tier == "D"


def test_attributes_that_a_test_sets_are_set_over_there(sandbox):
    code = "class Node:\n    def __init__(self, v):\n        self.v, self.next = v, None\n"
    code += "def f(node):\n    return node.v + (f(node.next) if node.next else 0)\n"
    body = "a = Node(1)\na.next = Node(2)\na.next.v = 5\nassert f(a) == 6"
    assert sandbox.judge(task(body), code).passed


def test_types_are_values(sandbox):
    assert sandbox.judge(task("assert f(int) is str"), "def f(t): return str").passed


def test_a_heavy_test_gets_its_time(sandbox):
    body = json.dumps({"args": [], "expected": 1})
    code = "import time\ndef f():\n    end = time.process_time() + 0.5\n"
    code += "    while time.process_time() < end: pass\n    return 1\n"
    light = Test("light", "call", body)
    heavy = Test("heavy", "call", body, weight=9)
    judged = Task("t", "python", "", "f", (light, heavy))
    assert statuses(sandbox.judge(judged, code, limits=QUICK)) == ["timeout", "pass"]


def test_annotations_are_evaluated_as_they_would_be_outside(sandbox):
    assert statuses(sandbox.judge(task("assert f(1) == 1"), "def f(x: Nope): return x")) == [
        "load_error"
    ]
