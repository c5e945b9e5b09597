"""The loop on a running llama.cpp server, with a model that this package trained and published."""

import pytest

import llama_cpp
import tiny_models
from selfdebug import prompts
from selfdebug.backends import openai
from selfdebug.debug import debug
from selfdebug.feedback import feedback
from selfdebug.publish import publish
from selfdebug.sandbox import Sandbox
from selfdebug.types import Request, Sampling, Task, Test

pytest.importorskip("gguf", reason="no gguf: pip install 'selfdebug[gguf]'")

BROKEN = "def third(xs):\n    kept = list(xs)\n    return kept[3]\n"
MENDED = BROKEN.replace("[3]", "[2]")
SAID = f"Indices begin at 0.\n```python\n{MENDED}```"
TASK = Task(
    "t", "python", "Return the third item.", "third",
    (Test("v", "program", "assert third([5, 6, 7, 8]) == 7"),),
)  # fmt: skip


@pytest.mark.slow
def test_a_published_model_mends_a_program_through_a_real_server(tmp_path):
    with Sandbox(workers=1) as sandbox:
        verdict = sandbox.judge(TASK, BROKEN)
        told = feedback("tests", TASK, BROKEN, verdict, judge=sandbox)
        asked = prompts.messages(Request(TASK, "explain_refine", BROKEN, told))
        texts = [*(message["content"] for message in asked), SAID]
        tiny_models.write_model(tmp_path / "m", texts=texts)
        tiny_models.teach(tmp_path / "m", [(asked, SAID)], steps=60)
        publish(str(tmp_path / "m"), tmp_path / "q8", form="gguf")
        replies = []
        for drafting in (False, True):
            weights = tmp_path / "q8" / "model.gguf"
            with llama_cpp.served(weights, drafting=drafting) as address:
                backend = openai.create(None, model="m", base_url=f"{address}/v1")
                greedy = Sampling(temperature=0, max_tokens=100)
                episode = debug(TASK, backend, judge=sandbox, code=BROKEN, sampling=greedy)
            assert episode.stopped == "passed"
            replies.append(episode.turns[-1].completion)
        assert replies[0].explanation == "Indices begin at 0."
        assert replies[0].text == replies[1].text
        assert replies[0].completion_tokens > 10
