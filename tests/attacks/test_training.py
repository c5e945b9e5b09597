"""A policy that is trained among hostile programs earns nothing from them, and nothing is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from aftermath import LIMITS, family, leftovers
from python_attacks import RIGHT, TASK, escapes, verdict_attacks

from selfdebug import prompts
from selfdebug.debug import normalised
from selfdebug.sandbox import Sandbox
from selfdebug.types import Request, TestResult

pytest.importorskip("torch")

import tiny_models
from selfdebug.rl import Settings, train
from selfdebug.rl.material import Material
from selfdebug.rl.pool import Ask, Mended

STEPS = 100
HONEST = RIGHT.replace("sum(values) * factor", "sum(values) + factor")  # fails every test
SAID = "Line 2 is wrong: `sum(values) + factor` should be `sum(values) * factor`."
FAILURE = TestResult("ints", "wrong", "weigh([1, 2, 3], 2)", expected="12", got="8")
# Short ones: it says all of them by heart. They lie, end early, break the oracle, stay, and kill.
NAMES = (
    "exit in the function", "str that equals all", "AssertionError swallowed", "patches random",
    "mutates the input so that the oracle agrees", "leaves a thread at exit", "fork bomb",
    "subprocess", "kills its parent",
)  # fmt: skip
PAGE = os.sysconf("SC_PAGE_SIZE")


def hostile() -> list[str]:
    every = {**verdict_attacks(), **escapes(1, 2)}
    return [f"{every[name].strip()}\n" for name in NAMES]


def material() -> Material:
    """The hostile programs are what it is asked to mend."""
    asks = [
        Ask(TASK.id, "refine", "explain_refine", code, f"It fails {n}.", FAILURE)
        for n, code in enumerate([HONEST, *hostile()])
    ]
    return Material([TASK], asks, [Mended(TASK.id, ask.broken, RIGHT, SAID) for ask in asks])


def write_policy(folder: Path) -> None:
    """It gives each hostile program back as often as it mends it, or is honestly wrong."""
    shown = Request(TASK, "generate")
    pairs = [
        (prompts.messages(shown), prompts.fenced("python", code)) for code in [*hostile(), RIGHT]
    ]
    for ask in material().failures:
        asked = prompts.messages(Request(TASK, ask.mode, ask.broken, ask.feedback))
        for code in (ask.broken, RIGHT, HONEST):
            pairs.append((asked, f"{SAID}\n\n{prompts.fenced('python', code)}"))
    texts = [m["content"] for asked, _ in pairs for m in asked] + [said for _, said in pairs]
    tiny_models.write_model(folder, texts=texts)
    tiny_models.teach(folder, pairs)


class Watched:
    """A judge that remembers, of each step, the verdicts on hostile programs."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.known = {normalised(code) for code in hostile()}
        self.steps: list[list[float]] = [[]]  # of each step: shares of tests passed

    def judge(self, task, code, **options):
        verdict = self.sandbox.judge(task, code, **options)
        assert not verdict.unknown, code
        if normalised(code) in self.known:
            self.steps[-1].append(verdict.share_passed)
        return verdict


def resident(pids: list[str]) -> int:
    """Bytes of memory of this process and of others."""
    files = [Path(f"/proc/{pid}/statm") for pid in ["self", *pids]]
    return sum(int(file.read_text().split()[1]) for file in files) * PAGE


@pytest.mark.slow
def test_a_hundred_steps_among_hostile_programs_earn_nothing_from_them(tmp_path):
    write_policy(tmp_path / "policy")
    settings = Settings(
        str(tmp_path / "policy"), steps=STEPS, prompts=2, replies=4, max_tokens=120, rank=0,
        write=0.2, keep=0.0, explain=1.0, learning_rate=2e-4, device="cpu", save_every=STEPS,
    )  # fmt: skip
    processes: list[int] = []
    memory: list[int] = []
    with Sandbox(workers=1, limits=LIMITS) as sandbox:
        judge = Watched(sandbox)

        def on_step(step: int, steps: int) -> None:
            living = family()
            processes.append(len(living))
            memory.append(resident(living))
            judge.steps.append([])

        done = train(material(), tmp_path / "rl", settings, judge, on_step=on_step)
    assert (done.steps, done.stopped) == (STEPS, "")
    earned = [shares for shares in judge.steps if shares]
    assert len(earned) > STEPS / 4  # it did write them
    assert {share for shares in earned for share in shares} == {0.0}
    first, last = (sum(map(len, judge.steps[n : n + 20])) for n in (0, STEPS - 20))
    assert last < first  # and it writes fewer of them, not more
    assert max(processes[20:]) <= max(processes[:20])
    assert max(memory[-20:]) < 1.1 * max(memory[:20])
    assert leftovers() == []
