"""Ray: what one process would have found, though workers and the driver are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

import paid_backend
from selfdebug.attempts import attempts
from selfdebug.cluster import Cluster, Judges, cluster
from selfdebug.evaluate import Settings, evaluate
from selfdebug.harvest import Settings as HarvestSettings
from selfdebug.harvest import harvest
from selfdebug.sandbox import Sandbox
from selfdebug.store import Store
from selfdebug.types import Episode, SelfdebugError, Task, Test

RESULTS = {"add": (7, 8881), "sub": (3, 8879), "mul": (10, 8880)}
OPERATORS = {"add": "+", "sub": "-", "mul": "*"}
BACKEND = paid_backend.__file__
HARVEST = HarvestSettings(samples=5, refinements=3)


def program(operator):
    return f"def f(a, b):\n    return a {operator} b\n"


def task(name, number):
    seen, hidden = RESULTS[name]
    tests = (
        Test("v", "program", f"assert f(5, 2) == {seen}"),
        Test("h", "program", f"assert f(8880, 1) == {hidden}", hidden=True),
    )
    return Task(
        f"{name}{number}", "python", f"Write f for {name} {number}.", "f", tests,
        reference=program(OPERATORS[name]), broken=program("%"),
    )  # fmt: skip


TASKS = [task(name, number) for number in range(4) for name in OPERATORS]


def bill_of(path):
    """The lines of a bill: [process, task, sha of the broken program, seed, number]."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def rows(folder):
    """Each file's rows, without the times that they took, in an order of their own."""
    return {
        path.name: sorted(map(timeless, path.read_text().splitlines()))
        for path in folder.glob("*.jsonl")
    }


def timeless(line):
    def strip(value):
        if isinstance(value, dict):
            return {name: strip(item) for name, item in value.items() if name != "seconds"}
        return [strip(item) for item in value] if isinstance(value, list) else value

    return json.dumps(strip(json.loads(line)))


class Ray:
    """As much of Ray as choosing places needs."""

    exceptions = SimpleNamespace(RayError=OSError)

    def __init__(self, *resources):
        self.resources = resources

    def nodes(self):
        return [
            {"NodeID": "ab" * 28, "Alive": True, "Resources": there} for there in self.resources
        ]

    def remote(self, **_):
        return lambda kind: SimpleNamespace(remote=kind)


@pytest.mark.parametrize(
    ("there", "asked", "backends", "copies", "gpu"),
    [
        ([{"CPU": 4.0}, {"CPU": 2.0}], 0, 1, 6, 0),
        ([{"CPU": 4.0, "GPU": 2.0}, {"CPU": 2.0}], 0, 1, 2, 1),
        ([{"CPU": 4.0, "GPU": 2.0}], 0, 2, 2, 1 / 2),  # a teacher's model beside each writer's
        ([{"CPU": 4.0, "GPU": 2.0}], 3, 1, 3, 1 / 2),  # two on one GPU, one on the other
        ([{"CPU": 4.0, "GPU": 2.0}], 1, 1, 1, 1),
    ],
)
def test_a_gpu_has_a_copy_of_the_backend_or_each_core_has(ray, there, asked, backends, copies, gpu):
    del ray
    found = Cluster(Ray(*there), writers=asked, backends=backends, allow_unsafe=False)
    assert (found.writers, found.gpu) == (copies, gpu)


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SelfdebugError, match=r"needs Ray: pip install 'selfdebug\[ray\]'"):
        cluster("local").__enter__()


def test_several_calls_at_once_are_kept_as_those_of_one(tmp_path):
    """What Ray needs of `harvest`, without Ray."""
    with Sandbox(workers=2) as sandbox:
        for calls in (1, 4):
            folder, backend = tmp_path / str(calls), paid_backend.Paid(tmp_path / f"bill{calls}")
            harvest(
                TASKS, backend, sandbox, folder, HARVEST, replies_at_once=10, calls_at_once=calls
            )
    assert rows(tmp_path / "1") == rows(tmp_path / "4")


@pytest.fixture(scope="module")
def ray():
    return pytest.importorskip("ray")


@pytest.fixture(scope="module")
def on_ray(ray):
    with cluster("local") as found:
        yield found


@pytest.mark.slow
class TestOnACluster:
    def test_an_evaluation_is_the_one_of_one_process(self, on_ray, tmp_path):
        settings, options = Settings(samples=2, check_right=True), {"bill": str(tmp_path / "bill")}
        with Sandbox(workers=2) as sandbox:
            backend = paid_backend.create(sandbox, **options)
            one = evaluate(TASKS, backend, sandbox, tmp_path / "one", settings)
        ray = evaluate(
            TASKS, on_ray.backend(BACKEND, options, 2), on_ray.judge, tmp_path / "ray", settings,
            jobs=2 * on_ray.writers,
        )  # fmt: skip
        assert rows(tmp_path / "one") == rows(tmp_path / "ray")
        assert replace(one.rows[0], seconds=0) == replace(ray.rows[0], seconds=0)
        assert len({process for process, *_ in bill_of(tmp_path / "bill")}) == 1 + on_ray.writers

    def test_a_harvest_is_the_one_of_one_process(self, on_ray, tmp_path):
        options = {"bill": str(tmp_path / "bill")}
        with Sandbox(workers=2) as sandbox:
            one = harvest(TASKS, paid_backend.create(sandbox, **options), sandbox,
                          tmp_path / "one", HARVEST, replies_at_once=10)  # fmt: skip
        ray = harvest(
            TASKS, on_ray.backend(BACKEND, options), on_ray.judge, tmp_path / "ray", HARVEST,
            replies_at_once=10, calls_at_once=on_ray.writers,
        )  # fmt: skip
        assert one == ray
        assert one.mended > 0
        assert rows(tmp_path / "one") == rows(tmp_path / "ray")

    def test_verdicts_come_in_order_and_observe_as_in_one_process(self, on_ray):
        jobs = [(t, program("+-*"[n % 3])) for n, t in enumerate(TASKS * 3)]
        with Sandbox(workers=2) as sandbox:
            one = [*sandbox.judge_many(iter(jobs), observe="lines")]
            many = [*on_ray.judge.judge_many(iter(jobs), observe="lines")]
            assert [timed(v) for v in one] == [timed(v) for v in many]
            hidden = [test for test in TASKS[0].tests if test.hidden]
            options = {"tests": hidden, "observe": "locals"}
            found = [box.judge(*jobs[0], **options) for box in (sandbox, on_ray.judge)]
        assert timed(found[0]) == timed(found[1])
        assert [result.test_id for result in found[1].results] == ["h"]

    def test_a_wrong_option_of_the_backend_is_its_own_complaint(self, on_ray):
        with pytest.raises(SelfdebugError, match="'model' is missing"):
            on_ray.backend("transformers", {})

    def test_a_killed_worker_loses_nothing_and_its_call_is_done_again(self, on_ray, tmp_path):
        bill = tmp_path / "bill"
        options = {"bill": str(bill), "seconds": "0.05"}
        writing = on_ray.backend(BACKEND, options)
        killer = Thread(target=kill_each, args=(["_Writer.sample", "_Judge.judge"],))
        killer.start()
        found = harvest(
            TASKS, writing, on_ray.judge, tmp_path / "ray", HARVEST, replies_at_once=10,
            calls_at_once=on_ray.writers,
        )  # fmt: skip
        killer.join()
        again = paid_backend.Paid(tmp_path / "other")
        with Sandbox(workers=2) as sandbox:
            one = harvest(TASKS, again, sandbox, tmp_path / "one", HARVEST, replies_at_once=10)
        assert found == one
        assert rows(tmp_path / "one") == rows(tmp_path / "ray")
        paid = Counter((task, sha, seed, number) for _, task, sha, seed, number in bill_of(bill))
        assert paid.keys() == {(t, s, d, n) for _, t, s, d, n in bill_of(tmp_path / "other")}
        assert sum(paid.values()) - len(paid) <= 10  # of the one call that was under way

    def test_what_ray_gives_up_is_unknown_and_tried_again(self, ray, on_ray, tmp_path):
        class Dies:
            def judge(self, *_):
                os._exit(1)

        judges = Judges(ray, [ray.remote(max_restarts=-1)(Dies).remote()])
        backend = paid_backend.Paid(tmp_path / "bill")
        first = evaluate(TASKS[:2], backend, judges, tmp_path / "run")
        assert first.unknown == ["add0", "sub0"]
        assert list(Store(tmp_path / "run" / "episodes.jsonl", Episode)) == []
        assert evaluate(TASKS[:2], backend, on_ray.judge, tmp_path / "run").unknown == []


def kill_each(titles):
    """Kill a process of each title, as Ray shows what a worker does, once there is one."""
    for wanted in titles:
        while True:
            found = [pid for pid in below(os.getpid()) if wanted in title(pid)]
            if found:
                os.kill(found[0], signal.SIGKILL)
                break
            time.sleep(0.002)


def timed(verdict):
    """A verdict without the times that it took."""
    return replace(verdict, results=tuple(replace(r, seconds=0) for r in verdict.results))


def below(process):
    """Every process that a process has started, and those that they have."""
    for children in Path("/proc", str(process)).glob("task/*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from below(child)


def title(process):
    with suppress(OSError):
        return Path("/proc", str(process), "cmdline").read_bytes().decode(errors="replace")
    return ""


@pytest.mark.slow
def test_a_killed_driver_goes_on_and_pays_nothing_twice(ray, tmp_path):
    """What had come is never asked for again; of each copy the one call under way may be."""
    del ray
    tasks, bill, run = tmp_path / "tasks.jsonl", tmp_path / "bill", tmp_path / "run"
    tasks.write_text("".join(f"{json.dumps(row(task))}\n" for task in TASKS))
    command = [
        sys.executable, "-m", "selfdebug", "harvest", str(tasks), "--backend", BACKEND,
        "--option", f"bill={bill}", "--option", "seconds=0.1", "--samples", "5", "--refinements",
        "3", "--replies-at-once", "10", "--ray", "local", "--out", str(run), "--source",
        str(tmp_path / "no-data"), "--json",
    ]  # fmt: skip
    with subprocess.Popen(command) as process:
        while process.poll() is None and len(bill_of(bill)) < 30:
            time.sleep(0.01)
        started = set(below(process.pid))  # Ray's processes and the sandboxes
        process.kill()
    kept = {(a.task_id, a.number) for a in attempts(run) if not a.parent}
    assert len(kept) >= 10
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["programs"] == 5 * len(TASKS)
    first = Counter((task, number) for _, task, sha, _, number in bill_of(bill) if sha == NOTHING)
    assert {first[answered] for answered in kept} == {1}
    assert sum(first.values()) - 5 * len(TASKS) <= 10 * len(os.sched_getaffinity(0))
    deadline = time.monotonic() + 60
    while left := [title(pid) for pid in started if title(pid)]:  # nothing stays of the killed one
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
    with Sandbox(workers=2) as sandbox:
        backend = paid_backend.Paid(tmp_path / "other")
        harvest(TASKS, backend, sandbox, tmp_path / "one", HARVEST, replies_at_once=10)
    keys = [Counter(map(identity, attempts(folder))) for folder in (run, tmp_path / "one")]
    assert keys[0] == keys[1]


NOTHING = paid_backend.code_sha("")


def identity(attempt):
    return attempt.task_id, attempt.parent, attempt.number, attempt.completion.text


def row(task):
    tests = [{"program": t.body, "hidden": t.hidden, "id": t.id} for t in task.tests]
    return {"id": task.id, "entry_point": "f", "prompt": task.prompt, "tests": tests,
            "reference": task.reference, "broken": task.broken}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_a_wrong_address_is_one_line(ray, address, tmp_path):
    del ray
    command = [sys.executable, "-m", "selfdebug", "eval", "demo", "--out", str(tmp_path / "run")]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run(
        [*command, "--ray", address], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 2
    assert f"no Ray cluster answers at {address}: " in done.stderr
    assert done.stderr.count("\n") == 1
