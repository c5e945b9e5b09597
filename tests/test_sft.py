"""Fine-tuning: loss on replies alone, held-out tasks, early stop, resume, folders that load."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import tiny_models
from selfdebug import prompts
from selfdebug.backends.transformers import create
from selfdebug.backends.transformers.loading import libraries, load_tokenizer, prompt_ids
from selfdebug.sft import Settings, train
from selfdebug.sft.rows import IGNORED, Row, encode, fingerprint, held_out, parts, schedule
from selfdebug.sft.trainer import positions, trainer_class, training_arguments
from selfdebug.stages import examples
from selfdebug.types import Repair, Request, Sampling, SelfdebugError, Task
from tiny_models import torch

OPERATORS = {"plus": "+", "minus": "-", "times": "*", "modulo": "%"}


def program(operator):
    return f"def f(a, b):\n    return a {operator} b"


TASKS = [
    Task(f"{name}{number}", "python", f"Return {name} of {number}.", "f", ())
    for number in range(4)
    for name in OPERATORS
]


def operator_of(task):
    return OPERATORS[task.id.rstrip("0123456789")]


def repairs(count=100, explanation="The operator is wrong."):
    found = []
    for number, task in enumerate(TASKS):
        for wrong in ("//", "**"):
            fixed = program(operator_of(task))
            found.append(
                Repair(
                    f"{number}{wrong}",
                    task.id,
                    "python",
                    program(wrong),
                    "The program returns a wrong value.",
                    explanation,
                    fixed,
                    "injected",
                    "A",
                    kind="logic",
                )
            )
    return found[:count]


def made(count=100, stages=("correct",), right_share=0.0):
    tasks = [replace(task, reference=program(operator_of(task))) for task in TASKS]
    return list(examples(repairs(count), tasks, stages, right_share))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    texts = [message["content"] for e in made() for message in (*e.prompt, *e.completion)]
    return tiny_models.write_model(folder, texts=texts)


@pytest.fixture(scope="module")
def tokenizer(base):
    return load_tokenizer(str(base))


def settings(base, **changes):
    quick = Settings(str(base), rank=0, learning_rate=3e-3, epochs=2, batch_size=8, device="cpu")
    return replace(quick, **changes)


def losses(folder, name="loss"):
    lines = [json.loads(line) for line in (folder / "losses.jsonl").read_text().splitlines()]
    return [line[name] for line in lines if name in line]


class TestRows:
    def test_loss_is_on_the_reply_and_its_end_alone(self, tokenizer):
        rows, _ = encode(tokenizer, made(stages=("generate", "recognise", "correct")), 2048)
        for row, example in zip(
            rows, made(stages=("generate", "recognise", "correct")), strict=True
        ):
            said = [label for label in row.labels if label != IGNORED]
            assert tokenizer.decode(said) == example.completion[0]["content"] + "</s>"
            assert "a // b" not in tokenizer.decode(said)
            assert row.labels[: -len(said)] == [IGNORED] * (len(row.labels) - len(said))
            assert row.input_ids[-len(said) :] == said

    def test_the_prompt_is_what_the_backend_reads(self, tokenizer):
        example = next(e for e in made() if "Corr" in e.prompt[-1]["content"])
        ((row,), _) = encode(tokenizer, [example], 2048)
        task = TASKS[0]
        asked = Request(task, "refine", program("//"), "The program returns a wrong value.")
        ids = prompt_ids(tokenizer, prompts.messages(asked))
        if "First explain" not in example.prompt[-1]["content"]:
            assert row.input_ids[: len(ids)] == ids
        assert row.labels.count(IGNORED) == len(prompt_ids(tokenizer, example.prompt))

    def test_what_is_too_long_is_left_out_and_counted_never_cut(self, tokenizer):
        rows, _ = encode(tokenizer, made(), 2048)
        lengths = sorted(len(row.input_ids) for row in rows)
        kept, left_out = encode(tokenizer, made(), lengths[5])
        assert len(kept) + left_out == len(rows)
        assert sorted(len(row.input_ids) for row in kept) == [n for n in lengths if n <= lengths[5]]

    def test_no_task_is_both_learned_from_and_held_out(self):
        rows = [Row("correct", f"t{n % 7}", [n], [n]) for n in range(70)]
        learn, check = held_out(rows, 0.2, seed=0)
        assert len(learn) + len(check) == 70
        assert not {r.task_id for r in learn} & {r.task_id for r in check}
        assert 14 <= len(check) <= 20
        assert held_out(rows, 0.2, seed=0) == (learn, check)
        assert held_out(rows, 0.2, seed=1) != (learn, check)

    def test_thirteen_pairs_or_one_task_still_leave_something_to_check_on(self):
        few = [Row("correct", f"t{n // 2}", [n], [n]) for n in range(13)]
        learn, check = held_out(few, 0.1, seed=0)
        assert (len(learn), len(check)) in ((11, 2), (12, 1))
        one_task = [Row("correct", "t", [n], [n]) for n in range(13)]
        assert [len(part) for part in held_out(one_task, 0.1, seed=0)] == [12, 1]
        assert [len(part) for part in held_out(one_task[:1], 0.1, seed=0)] == [1, 0]

    def test_each_epoch_has_every_row_once_in_an_order_of_its_own(self):
        lengths = [(7 * n) % 100 for n in range(100)]
        order = schedule(lengths, 2.5, batch_size=4, seed=0)
        first, second, third = order[:100], order[100:200], order[200:]
        assert sorted(first) == sorted(second) == list(range(100))
        assert len(third) == len(set(third)) == 50
        assert first != second
        assert schedule(lengths, 2.5, batch_size=4, seed=0) == order
        batches = [first[start : start + 4] for start in range(0, 100, 4)]
        spread = [max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in batches]
        assert sum(spread) / len(spread) < 25  # about 60 for batches drawn at random

    def test_stages_come_one_after_the_other_or_as_one_mixture(self, tokenizer):
        stages = ("generate", "recognise", "correct")
        rows, _ = encode(tokenizer, made(stages=stages), 2048)
        found = dict(parts(rows, "stages", seed=0))
        assert tuple(found) == stages
        assert all({row.stage for row in part} == {stage} for stage, part in found.items())
        ((name, mixture),) = parts(rows, "mixture", seed=0)
        assert name == "mixture"
        assert fingerprint(mixture) != fingerprint(rows)
        assert sorted(map(repr, mixture)) == sorted(map(repr, rows))


@pytest.mark.slow
def test_it_learns_and_the_folder_is_a_model_with_card_curves_and_settings(base, tmp_path):
    out = tmp_path / "sft"
    seen = []
    chosen = settings(base, epochs=12, learning_rate=5e-3, held_out=0.15)
    done = train(
        made(), out, chosen, about={"from": "here"},
        on_step=lambda step, steps, loss: seen.append((step, steps, loss)),
    )  # fmt: skip
    assert done.after < done.before
    assert (done.before, done.after) == (losses(out, "eval_loss")[0], min(losses(out, "eval_loss")))
    assert losses(out)[-1] < losses(out)[0] / 2
    assert [step for step, *_ in seen] == sorted({step for step, *_ in seen})
    card = (out / "README.md").read_text()
    assert f"{done.before:.4f} before, {done.after:.4f}" in card
    assert "| from | here |" in card
    assert "rank = 0" in (out / "run.toml").read_text()
    assert not (out / "checkpoints").exists()
    task = TASKS[0]
    asked = Request(task, "refine", program("//"), "The program returns a wrong value.")
    ((reply,),) = create(None, model=str(out)).sample([asked], 1, Sampling(temperature=0))
    assert reply.code.startswith("def f(a, b):")
    assert reply.finish_reason == "stop"


def test_done_is_done_and_other_settings_or_data_are_refused(base, tmp_path):
    chosen = settings(base, epochs=1)
    first = train(made(16), tmp_path, chosen)
    stamp = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert train(made(16), tmp_path, chosen) == first
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == stamp
    with pytest.raises(SelfdebugError, match=r"epochs = 1.*choose another folder"):
        train(made(16), tmp_path, replace(chosen, epochs=2.0))
    with pytest.raises(SelfdebugError, match=r"data = .*choose another folder"):
        train(made(14), tmp_path, chosen)


@pytest.mark.slow
def test_lora_writes_an_adapter_that_knows_its_base_and_can_be_trained_on(base, tmp_path):
    before = (base / "model.safetensors").read_bytes()
    first, second = tmp_path / "first", tmp_path / "second"
    train(made(16), first, settings(base, rank=4, epochs=1))
    said = json.loads((first / "adapter_config.json").read_text())
    assert (said["base_model_name_or_path"], said["r"]) == (str(base.resolve()), 4)
    train(made(16), second, settings(first, rank=4, epochs=1))
    assert create(None, model=str(second)).sample(
        [Request(TASKS[0], "generate")], 1, Sampling(max_tokens=4)
    )
    assert (base / "model.safetensors").read_bytes() == before
    with pytest.raises(SelfdebugError, match="is an adapter"):
        train(made(16), tmp_path / "third", settings(first, rank=0))


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gpt_bigcode"])
def test_logits_are_made_for_the_wanted_positions_alone(kind):
    """And rows that are filled up on the right need no mask: causal attention looks left."""
    (transformers,) = libraries("transformers")
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(tiny_models.configs()[kind]).eval()
    ids, mask = torch.randint(3, 640, (3, 9)), torch.ones(3, 9, dtype=torch.long)
    for row, length in enumerate((9, 6, 4)):
        ids[row, length:], mask[row, length:] = 0, 0
    wanted = mask.bool() & (torch.arange(9) >= 2)
    with torch.no_grad():
        every = model(input_ids=ids, attention_mask=mask).logits
        with positions(model, wanted, deep=True):
            some = model(input_ids=ids).logits
        again = model(input_ids=ids, attention_mask=mask).logits
    assert some.shape == (7 + 4 + 2, 640)
    assert torch.allclose(some, every[wanted], atol=1e-5)
    assert torch.equal(again, every)  # the hook is gone


def test_lora_adapts_the_layers_that_are_named(base, tmp_path):
    train(made(8), tmp_path / "q", settings(base, rank=4, targets="q_proj,o_proj", epochs=1))
    said = json.loads((tmp_path / "q" / "adapter_config.json").read_text())
    assert set(said["target_modules"]) == {"q_proj", "o_proj"}
    with pytest.raises(SelfdebugError, match=r"no linear layer 'qproj'; it has .*q_proj"):
        train(made(8), tmp_path / "w", settings(base, rank=4, targets="q_proj,qproj", epochs=1))


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 4])
def test_the_loss_on_a_cpu_is_trls_loss(base, tmp_path, tokenizer, rank):
    """Logits of the replies alone give what the fused head gives: the same curve."""
    peft, trl, transformers, datasets = libraries("peft", "trl", "transformers", "datasets")
    rows, _ = encode(tokenizer, made(24), 2048)
    data = datasets.Dataset.from_dict(
        {"input_ids": [r.input_ids for r in rows], "labels": [r.labels for r in rows]}
    )
    curves = []
    for plain in (False, True):
        arguments = training_arguments(
            trl.SFTConfig, folder=tmp_path / str(plain), device="cpu", steps=3, rows_at_once=4,
            batch_size=8, learning_rate=1e-3, seed=0, checks=False, resumes=False,
            checkpointing=False, bf16=False,
        )  # fmt: skip
        lora = peft.LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM")
        trainer = trainer_class(trl, torch, on_cpu=plain)(
            model=transformers.AutoModelForCausalLM.from_pretrained(base), args=arguments,
            train_dataset=data, processing_class=tokenizer, peft_config=lora if rank else None,
        )  # fmt: skip
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
        curves.append([line["loss"] for line in trainer.state.log_history if "loss" in line])
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)
    assert len(curves[0]) == 3


@pytest.mark.slow
def test_thirteen_pairs_are_not_learned_by_heart(base, tmp_path):
    """Random replies: nothing to learn but by heart, so held-out loss turns and training stops."""
    mixed = made(13)
    replies = [e.completion for e in mixed]
    shuffled = [
        replace(e, completion=replies[(5 * n + 3) % 13], task_id=f"t{n}")
        for n, e in enumerate(mixed)
    ]
    chosen = settings(base, epochs=60, learning_rate=1e-2, batch_size=4, held_out=0.25)
    done = train(shuffled, tmp_path, chosen)
    checked = losses(tmp_path, "eval_loss")
    assert (done.examples, done.held_out) == (10, 3)
    assert len(checked) < 12  # it stopped before the tenth evaluation after the start
    assert done.after == min(checked[1:])
    # The weights that were kept are those of the best evaluation, not the last.
    assert checked[-1] > done.after
    assert loss_of(tmp_path, shuffled, chosen) == pytest.approx(done.after, abs=2e-2)


def loss_of(folder, data, chosen):
    """The held-out loss of a saved model, computed anew."""
    (transformers,) = libraries("transformers")
    rows, _ = encode(load_tokenizer(str(folder)), data, 2048)
    _, check = held_out(rows, chosen.held_out, chosen.seed)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    total, count = 0.0, 0
    for row in check:
        own = sum(label != IGNORED for label in row.labels)
        with torch.no_grad():
            loss = model(torch.tensor([row.input_ids]), labels=torch.tensor([row.labels])).loss
        total, count = total + loss.item() * own, count + own
    return total / count


@pytest.mark.slow
def test_stages_are_trained_one_after_the_other(base, tmp_path):
    data = made(32, ("generate", "recognise", "correct"), right_share=0.2)
    train(data, tmp_path, settings(base, order="stages", epochs=1))
    lines = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(line["stage"] for line in lines)) == [
        "generate", "recognise", "correct",
    ]  # fmt: skip


RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import test_sft as t
def tell(step, steps, loss):
    print(step, flush=True)
t.train(t.made(64, ("recognise", "correct")), sys.argv[3],
        t.settings(sys.argv[2], epochs=3, order=sys.argv[4]), on_step=tell)
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", ["mixture", "stages"])
def test_killed_and_resumed_it_ends_with_the_weights_of_an_uninterrupted_run(base, tmp_path, order):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    command = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(base)]
    steps = run_until_done([*command, str(whole), order])
    kills, first = 0, None
    while not (torn / "README.md").is_file() and kills < 6:
        first = first or steps
        with subprocess.Popen(
            [*command, str(torn), order], stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            assert process.stdout
            for number, _ in enumerate(process.stdout):
                if number == 5 and kills < 2:
                    time.sleep(0.1)
                    os.killpg(process.pid, signal.SIGKILL)
                    break
        kills += 1
    assert kills == 3
    found = [
        libraries("safetensors.torch")[0].load_file(f / "model.safetensors") for f in (whole, torn)
    ]
    assert found[0].keys() == found[1].keys()
    for name, weights in found[0].items():
        assert torch.allclose(weights, found[1][name], atol=1e-5), name
    assert losses(whole) == pytest.approx(losses(torn), abs=1e-4)


def run_until_done(command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return len(done.stdout.split())


def test_what_cannot_be_trained_is_one_line(base, tmp_path):
    t5 = tiny_models.write_model(tmp_path / "t5", "t5")
    with pytest.raises(SelfdebugError, match="encoder-decoder"):
        train(made(8), tmp_path / "out", settings(t5))
    with pytest.raises(SelfdebugError, match="nothing to learn from"):
        train([], tmp_path / "none", settings(base))
    with pytest.raises(SelfdebugError, match="8 examples are too long"):
        train(made(8), tmp_path / "long", settings(base, max_length=10))
    assert math.isnan(train(made(8), tmp_path / "all", settings(base, held_out=0, epochs=1)).before)
