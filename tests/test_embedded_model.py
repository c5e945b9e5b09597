"""The shipped base model: small, loaded by its folder alone, and able to copy.

pytest -m slow tests/test_embedded_model.py
"""

from typing import Any

import pytest

from selfdebug import prompts
from selfdebug.benchmarks import world
from selfdebug.feedback.failing_test import failing_test
from selfdebug.models import EMBEDDED
from selfdebug.types import Request, Task

WEIGHTS = EMBEDDED / "model.safetensors"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not WEIGHTS.exists(), reason="no base model is shipped yet"),
]

COPIED = range(50, 76)  # tokens of a program: about 60
COUNT = 60


@pytest.fixture(scope="module")
def loaded() -> tuple[Any, Any]:
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(EMBEDDED)
    return tokenizer, transformers.AutoModelForCausalLM.from_pretrained(EMBEDDED).float().eval()


def test_it_is_small_and_says_what_it_is() -> None:
    assert WEIGHTS.stat().st_size <= 20 * 2**20
    card = (EMBEDDED / "README.md").read_text()
    assert card.startswith("---\nlicense: apache-2.0")
    assert "copy_exact" in card


def test_it_copies_unseen_programs_exactly(loaded: tuple[Any, Any]) -> None:
    """The gate: below 95% a model cannot use feedback, and no later stage is worth running."""
    import torch

    tokenizer, model = loaded
    tasks = [
        task
        for task in world.load("test")
        if len(tokenizer(prompts.fenced(task.language, task.reference))["input_ids"]) in COPIED
    ][:COUNT]
    asked = [tokenizer.apply_chat_template(**_kept(task)) for task in tasks]
    batch = tokenizer.pad({"input_ids": asked}, return_tensors="pt")
    with torch.no_grad():
        ids = model.generate(**batch, do_sample=False, max_new_tokens=90)
    replies = tokenizer.batch_decode(
        ids[:, batch["input_ids"].shape[1] :], skip_special_tokens=True
    )
    same = [
        prompts.parse(task.language, reply, entry_point=task.entry_point).code == task.reference
        for task, reply in zip(tasks, replies, strict=True)
    ]
    assert len(tasks) == COUNT
    assert sum(same) / len(same) >= 0.95


def _kept(task: Task) -> dict[str, Any]:
    """The conversation in which a right program is to be repeated."""
    told = failing_test(task, task.reference, None)
    request = Request(task, "refine", task.reference, told)
    return {
        "conversation": prompts.messages(request),
        "add_generation_prompt": True,
        "return_dict": False,
    }
