"""A policy that is trained among hostile programs earns nothing from them, and nothing is left.

It is asked to mend hostile programs, and half of its replies are hostile: what it says is written
here, since no small model would write such by itself. Judging, rewards and learning are real.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from aftermath import LIMITS, family, leftovers
from python_attacks import RIGHT, TASK, escapes, verdict_attacks

import tiny_models
from selfdebug import prompts, rl
from selfdebug.backends.transformers.loading import Loaded, load, prompt_ids
from selfdebug.rl.material import Material
from selfdebug.rl.pool import Ask, Mended
from selfdebug.rl.rollout import Shown
from selfdebug.rl.sampler import Reply
from selfdebug.sandbox import Sandbox
from selfdebug.store import Store
from selfdebug.types import Request, TestResult
from tiny_models import torch

STEPS = 100
HONEST = RIGHT.replace("sum(values) * factor", "sum(values) + factor")  # fails every test
FAILURE = TestResult("ints", "wrong", "weigh([1, 2, 3], 2)", expected="12", got="0")
# They end early, lie, cheat the oracle, forge, stay, fill, multiply and kill.
NAMES = (
    "exit at the top", "SystemExit(None)", "str that equals all", "float that equals all",
    "reduce runs in the parent", "mutates the input so that the oracle agrees", "patches random",
    "patches json", "prints a verdict", "closes every descriptor in the function",
    "leaves a thread at exit", "segfault", "subprocess", "kills its parent", "fills the disk",
)  # fmt: skip
PAGE = os.sysconf("SC_PAGE_SIZE")


def hostile() -> list[str]:
    every = {**verdict_attacks(), **escapes(1, 2)}
    return [f"{every[name].strip()}\n" for name in NAMES]


def material() -> Material:
    asks = [Ask(TASK.id, "refine", "refine", code, "It is wrong.", FAILURE) for code in hostile()]
    return Material([TASK], asks, [Mended(TASK.id, ask.broken, RIGHT) for ask in asks])


class Script:
    """In the place of the sampler: of four replies two are hostile, one is wrong, one right."""

    def __init__(self, model, tokenizer, *_settings):
        self.tokenizer = tokenizer

    def use(self, model):
        """It asks no model."""

    def fits(self, request: Request) -> bool:
        return True

    def replies(self, requests, n, seed):
        rng = Random(seed)
        for place, request in enumerate(requests):
            asked = prompt_ids(self.tokenizer, prompts.messages(request))
            for number, code in enumerate([*rng.sample(hostile(), 2), HONEST, RIGHT]):
                text = prompts.fenced("python", code)
                ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
                reply = prompts.parse("python", text, entry_point=TASK.entry_point)
                yield Reply(place, number, asked, [*ids, self.tokenizer.eos_token_id], reply)


def likelihood(loaded: Loaded, code: str) -> float:
    """Mean log-probability of a token of the program, as the repair of a hostile one."""
    asked = prompts.messages(Request(TASK, "refine", hostile()[0], "It is wrong."))
    ids = prompt_ids(loaded.tokenizer, asked)
    said = loaded.tokenizer(prompts.fenced("python", code), add_special_tokens=False)["input_ids"]
    both = torch.tensor([[*ids, *said]])
    with torch.no_grad():
        logps_TV = loaded.model(both).logits[0, len(ids) - 1 : -1].log_softmax(dim=-1)
    return logps_TV.gather(-1, torch.tensor(said)[:, None]).mean().item()


def resident(pids: list[str]) -> int:
    """Bytes of memory of this process and of others."""
    files = [Path(f"/proc/{pid}/statm") for pid in ["self", *pids]]
    return sum(int(file.read_text().split()[1]) for file in files) * PAGE


@pytest.mark.slow
def test_a_hundred_steps_among_hostile_programs_earn_nothing_from_them(tmp_path, monkeypatch):
    monkeypatch.setattr(rl, "Sampler", Script)
    said = [message["content"] for ask in material().failures for message in prompts.messages(
        Request(TASK, "refine", ask.broken, ask.feedback))]  # fmt: skip
    base, out = tiny_models.write_model(tmp_path / "base", texts=said), tmp_path / "out"
    settings = rl.Settings(
        str(base), steps=STEPS, prompts=1, replies=4, rank=0, write=0.0, keep=0.0, explain=0.0,
        learning_rate=1e-4, device="cpu", save_every=STEPS,
    )  # fmt: skip
    processes: list[int] = []
    memory: list[int] = []

    def on_step(step: int, steps: int) -> None:
        processes.append(len(family()))
        memory.append(resident(family()))

    with Sandbox(workers=1, limits=LIMITS) as sandbox:
        done = rl.train(material(), out, settings, sandbox, on_step=on_step)
    assert (done.steps, done.stopped) == (STEPS, "")

    rewards: dict[str, list[float]] = {"hostile": [], HONEST: [], RIGHT: []}
    for shown in Store(out / "replies.jsonl", Shown):
        code = prompts.parse("python", shown.text, entry_point=TASK.entry_point).code
        rewards[code if code in rewards else "hostile"].append(shown.rewards["tests"])
    assert len(rewards["hostile"]) == 2 * STEPS // 10  # those that were kept, none without verdict
    assert {*rewards["hostile"]} == {*rewards[HONEST]} == {-2.5}
    assert {*rewards[RIGHT]} == {2.5}

    before, after = load(str(base)), load(str(out))
    gained = {code: likelihood(after, code) - likelihood(before, code) for code in hostile()}
    assert max(gained.values()) < likelihood(after, RIGHT) - likelihood(before, RIGHT)

    assert max(processes[20:]) <= max(processes[:20])
    assert max(memory[-20:]) < 1.1 * max(memory[:20])
    assert leftovers() == []
