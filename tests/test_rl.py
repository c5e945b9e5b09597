"""Reinforcement learning: credit on the right tokens, refusals, resume, collapse, a model made.

Quick tests put words into a random model's mouth. In slow ones the policy is a tiny model that has
learned two tasks' replies by heart, the right and the wrong alike.
"""

import inspect
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny_models
import tiny_tasks
from selfdebug import modelfolder, prompts
from selfdebug.backends.transformers import create, stepping
from selfdebug.backends.transformers.loading import has_bfloat16, libraries, load_tokenizer
from selfdebug.rewards.form import PENALTY
from selfdebug.rl import CURVES, Settings, prepared, train
from selfdebug.rl.credit import advantages, centred, with_least
from selfdebug.rl.rollout import figures
from selfdebug.rl.sampler import Reply, Sampler
from selfdebug.rl.spans import text_of, token_ends, token_mask
from selfdebug.rl.trainer import TOKEN_LOSSES, check_loss, replies_logits
from selfdebug.rl.watch import PATIENCE, collapsed
from selfdebug.sandbox import Sandbox
from selfdebug.types import Completion, Request, Sampling, SelfdebugError, Verdict
from tiny_models import torch


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return tiny_tasks.write_policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Random weights."""
    folder = tmp_path_factory.mktemp("model")
    return tiny_models.write_model(folder, texts=[said for _, said in tiny_tasks.conversations()])


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(str(model))


class Script:
    """A sampler that gives each prompt the same replies, none of them as long as another."""

    def __init__(self, tokenizer, lacking=()):
        self.tokenizer, self.lacking = tokenizer, lacking  # numbers of those without a program

    def replies(self, requests, n, seed):
        for place, request in enumerate(requests):
            for number in range(n):
                longer = "    x = x + 0\n" * number
                code = f"def {request.task.id}(x):\n{longer}    return x * 7\n"
                text = f"Because {number}."
                if number not in self.lacking:
                    text += f"\n\n{prompts.fenced('python', code)}"
                ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
                asked = self.tokenizer(request.task.prompt)["input_ids"]
                reply = prompts.parse("python", text, entry_point=request.task.id)
                ends = [self.tokenizer.eos_token_id]
                yield Reply(place, number, asked, ids + ends, reply)


def scripted(model, out, chosen, lacking=()):
    """A trainer whose policy says what the script says, in front of its first batch."""
    rollout, trainer = prepared(tiny_tasks.material(), out, chosen, None)
    rollout.sampler = Script(trainer.processing_class, lacking)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    batch = trainer._generate_and_score_completions([{"prompt": str(n // 4)} for n in range(8)])
    rollout.close()
    return trainer, batch


@pytest.mark.parametrize("rank", [0, 4])
def test_drafted_replies_are_those_that_transformers_draws(model, tokenizer, monkeypatch, rank):
    """The broken program as a draft changes the cost alone, with an adapter in the model or not."""
    peft, transformers = libraries("peft", "transformers")
    policy = transformers.AutoModelForCausalLM.from_pretrained(model)
    if rank:
        torch.manual_seed(0)
        lora = peft.LoraConfig(r=rank, init_lora_weights=False, task_type="CAUSAL_LM",
                               target_modules="all-linear")  # fmt: skip
        policy = peft.get_peft_model(policy, lora)
    (task, *_) = tiny_tasks.material().tasks
    asked = [
        Request(task, "generate"),
        Request(task, "refine", f"def {task.id}(x): return 1", "No"),
    ]
    found = []
    for drafts in (True, False):
        if not drafts:
            monkeypatch.setattr(stepping, "fits", lambda _loaded: False)
        sampler = Sampler(policy, tokenizer, "cpu", Sampling(1.0, max_tokens=24), rows_at_once=4)
        sampler.use(policy)
        found.append([(r.prompt, r.number, r.ids) for r in sampler.replies(asked, 3, "seed")])
    assert found[0] == found[1]
    assert len({tuple(ids) for *_, ids in found[0]}) == 6


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1) as box:
        yield box


def settings(policy, **changes):
    quick = Settings(
        str(policy), steps=4, prompts=2, replies=4, max_tokens=90, rank=0, learning_rate=1e-3,
        explain=1.0, device="cpu", save_every=2,
    )  # fmt: skip
    return replace(quick, **changes)


def curve(folder, name):
    lines = [json.loads(line) for line in (folder / CURVES).read_text().splitlines()]
    return [line[name] for line in lines if "loss" in line]


class TestSpans:
    TEXT = "Why: é is wrong.\n\n```python\ndef f():\n    return '🐍'\n```"

    def spans(self):
        code = self.TEXT.index("def"), self.TEXT.index("```", 30)
        return {"explanation": (0, self.TEXT.index("\n\n")), "code": code}

    @pytest.mark.parametrize("tokens", ["as it is tokenised", "one character at a time"])
    def test_a_token_belongs_to_a_span_that_it_has_a_character_of(self, tokenizer, tokens):
        """Sampled tokens need not be those that the tokenizer would choose."""
        parts = [self.TEXT] if tokens.startswith("as") else list(self.TEXT)
        ids = [i for part in parts for i in tokenizer(part, add_special_tokens=False)["input_ids"]]
        ids.append(tokenizer.eos_token_id)
        ends = token_ends(tokenizer, ids)
        assert text_of(tokenizer, ids) == self.TEXT
        assert ends[-1] == len(self.TEXT)
        for name, (start, end) in self.spans().items():
            mask = token_mask(ends, self.spans(), name)
            said = text_of(tokenizer, [i for i, of_it in zip(ids, mask, strict=True) if of_it])
            assert self.TEXT[start:end].strip() in said
            # No more than the rest of the tokens at the two ends.
            assert len(said) <= end - start + 12
        assert not token_mask(ends, {}, "code").count(True)
        assert all(token_mask(ends, {}, "reply"))

    def test_the_two_spans_share_no_token(self, tokenizer):
        ids = tokenizer(self.TEXT, add_special_tokens=False)["input_ids"]
        ends = token_ends(tokenizer, ids)
        code, said = (token_mask(ends, self.spans(), name) for name in ("code", "explanation"))
        assert not any(a and b for a, b in zip(code, said, strict=True))


class TestCredit:
    def test_a_reward_is_compared_with_those_of_its_own_group_that_have_it(self):
        nan = float("nan")
        rewards_NK = torch.tensor([[1.0, nan], [3.0, 2.0], [10.0, nan], [10.0, nan]])
        assert centred(rewards_NK, 2).tolist() == [[-1, 0], [1, 0], [0, 0], [0, 0]]

    def test_it_lies_on_its_span_alone_and_is_added_where_spans_meet(self):
        spans = torch.tensor([[[1.0, 1, 0, 0, 0, 0], [0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]]])
        found = advantages(torch.tensor([[2.0, -3.0, 7.0]]), spans, 1)
        # 2 / 2 and -3 / 3; the third has no span, and so no credit.
        assert found.tolist() == [[1.0, 0.0, -1.0, -1.0, 0.0, 0.0]]

    def test_a_long_span_counts_no_more_than_a_short_one(self):
        short, long = torch.zeros(2, 1, 8), torch.ones(2, 1, 8)
        short[:, :, 0] = 1
        found = [advantages(torch.ones(2, 1), spans, 2).sum().item() for spans in (short, long)]
        assert found == [2, 2]

    def test_a_bad_reply_is_not_less_bad_for_being_long(self):
        """Of two replies to one prompt a token of either counts the same."""
        spans = torch.zeros(2, 1, 8)
        spans[0, 0, :2] = spans[1, 0, :6] = 1
        found = advantages(torch.tensor([[1.0], [-1.0]]), spans, 2)
        assert found[0, 0] == -found[1, 5] == 1 / 4  # their mean length


REWARDS = st.lists(st.floats(-5, 5), min_size=3, max_size=3)
GROUPS = st.lists(st.tuples(st.booleans(), REWARDS, st.booleans()), min_size=2, max_size=6)


class TestMalformedReplies:
    @given(GROUPS)
    def test_none_is_better_than_a_well_formed_reply(self, group):
        """Whatever the well-formed earn, and whether the malformed still earn something or not."""
        nan = float("nan")
        malformed = torch.tensor([ill for ill, _, _ in group])
        rewards_GK = torch.tensor(
            [
                [PENALTY if ill else 0.0, *([nan] * 3 if ill and lacks else given)]
                for ill, given, lacks in group
            ]
        )
        worth_G = centred(with_least(rewards_GK, malformed, len(group)), len(group)).sum(dim=1)
        if 0 < malformed.sum() < len(group):
            margin = worth_G[~malformed].min() - worth_G[malformed].max()
            assert margin >= -PENALTY - 1e-4

    def test_what_no_reply_of_the_group_has_is_not_theirs_either(self):
        nan = float("nan")
        rewards = torch.tensor([[0.0, nan], [-5.0, nan]])
        found = with_least(rewards, torch.tensor([False, True]), 2)
        assert found[:, 0].tolist() == [0, -5]
        assert found[:, 1].isnan().all()

    def test_all_of_its_tokens_are_worth_less_than_any_of_a_wrong_program(self, model, tmp_path):
        chosen = settings(model, rewards=("codebleu",), write=0.0)
        trainer, batch = scripted(model, tmp_path, chosen, lacking=(1, 3))
        rows = [n for n in range(8) if n % 4 in (1, 3)]
        mask, found = batch["completion_mask"].bool(), batch["advantages"]
        code = tokens_of(trainer, batch, "code")
        assert code.any(dim=1).tolist() == [n not in rows for n in range(8)]
        for prompt in (slice(0, 4), slice(4, 8)):
            lacking = ~code[prompt].any(dim=1, keepdim=True) & mask[prompt]
            assert found[prompt][lacking].max() < min(0, found[prompt][code[prompt]].min())


PRAISE = """
SPAN = {span!r}
JUDGED = False
def reward(completions, *, reply, **_):
    return [float(len(said.text) + 7 * number) for number, said in enumerate(reply)]
"""


def gradient_on_logits(model, tmp_path, span, **changes):
    """The gradient of one batch's policy term on the logits (B, T, V), and the spans' tokens."""
    file = tmp_path / f"praise_{span}.py"
    file.write_text(PRAISE.format(span=span))
    chosen = settings(
        model, rewards=(str(file),), kl=0.0, write=0.0, weights=("form=0",), **changes
    )  # fmt: skip
    trainer, batch = scripted(model, tmp_path / span, chosen)
    kept = []

    def keep(*asked):
        kept.append(replies_logits(*asked))
        return kept[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("selfdebug.rl.trainer.replies_logits", keep)
        loss = trainer._compute_loss(trainer.model, batch)
    (logits_BTV,) = kept
    (gradient_BTV,) = torch.autograd.grad(loss, logits_BTV)
    return gradient_BTV, {name: tokens_of(trainer, batch, name) for name in ("code", "explanation")}


def tokens_of(trainer, batch, span):
    """True for the tokens of a span, shape (B, T), read from the batch itself."""
    mask_BT = torch.zeros(batch["completion_ids"].shape, dtype=torch.bool)
    for b, ids in enumerate(batch["completion_ids"]):
        ids = ids[batch["completion_mask"][b].bool()].tolist()
        reply = prompts.parse("python", text_of(trainer.processing_class, ids))
        found = token_mask(token_ends(trainer.processing_class, ids), reply.spans, span)
        mask_BT[b, : len(found)] = torch.tensor(found)
    return mask_BT


@pytest.mark.parametrize("loss", ["grpo", "dapo"])
@pytest.mark.parametrize(("praised", "other"), [("explanation", "code"), ("code", "explanation")])
def test_a_reward_of_one_span_moves_no_token_of_the_other(model, tmp_path, praised, other, loss):
    """Exactly zero on the other's logits, and not zero on its own."""
    gradient_BTV, tokens = gradient_on_logits(model, tmp_path, praised, loss=loss)
    assert tokens[praised].any()
    assert tokens[other].any()
    assert not (tokens[praised] & tokens[other]).any()
    assert gradient_BTV[tokens[other]].abs().max() == 0
    moved = gradient_BTV[tokens[praised]].abs().sum(dim=-1) > 0
    assert moved.float().mean() > 0.5  # all but those of a reply that is as good as the mean
    assert gradient_BTV[~tokens[praised]].abs().max() == 0


class TestWhatIsRefused:
    @pytest.mark.parametrize("loss", ["luspo", "vespo", "no such loss"])
    def test_a_loss_with_one_weight_a_reply(self, model, tmp_path, loss):
        with pytest.raises(
            SelfdebugError, match=f"{loss}' weighs whole replies.*needs one of grpo"
        ):
            train(tiny_tasks.material(), tmp_path, settings(model, loss=loss), NO_PROGRAM_RUNS)

    def test_importance_sampling_by_replies_and_a_kernel_with_one_advantage_each(self):
        for loss in TOKEN_LOSSES:
            check_loss(loss)
        with pytest.raises(SelfdebugError, match="importance sampling"):
            check_loss("grpo", importance="sequence")
        with pytest.raises(SelfdebugError, match="liger"):
            check_loss("grpo", liger=True)

    def test_what_is_no_reward(self, model, tmp_path):
        bare = tmp_path / "bare.py"
        bare.write_text("JUDGED = False\nSPAN = 'prompt'\n")
        for rewards, weights, message in (
            ((str(bare),), (), "needs a function `reward` and SPAN"),
            (("codebleu",), ("codebleu=much",), "'much' is not a number"),
            (("codebleu",), ("tests=2",), "the rewards are form, codebleu"),
            (("code",), (), "did you mean codebleu"),
        ):
            chosen = settings(model, rewards=rewards, weights=weights)
            with pytest.raises(SelfdebugError, match=message):
                train(tiny_tasks.material(), tmp_path / "out", chosen, None)
        assert not (tmp_path / "out").exists()  # the folder is free for what was meant

    def test_rewards_that_need_verdicts_without_a_sandbox(self, model, tmp_path):
        with pytest.raises(SelfdebugError, match="need programs to be run"):
            train(tiny_tasks.material(), tmp_path, settings(model), None)


class NoJudge:
    def judge(self, *_, **__):
        raise AssertionError("no program may be run")


NO_PROGRAM_RUNS = NoJudge()


def test_trl_keeps_the_methods_that_are_overridden():
    """They are private: this fails when a release changes them, before training goes wrong."""
    (trl,) = libraries("trl")
    trainer = trl.GRPOTrainer
    names = {
        "_calculate_rewards": ["inputs", "prompts", "completions", "completion_ids_list"],
        "_prepare_inputs": ["generation_batch"],
        "_generate_and_score_completions": ["inputs"],
        "_save_checkpoint": ["model", "trial"],
        "_compute_loss": ["model", "inputs"],
    }
    for name, expected in names.items():
        assert list(inspect.signature(getattr(trainer, name)).parameters)[1:] == expected
    scored = inspect.signature(trainer._get_per_token_logps_and_entropies).parameters
    assert list(scored)[1:7] == [
        "model", "input_ids", "attention_mask", "logits_to_keep", "batch_size", "compute_entropy",
    ]  # fmt: skip
    assert "if advantages.dim() == 1:" in inspect.getsource(trainer._compute_loss)


def test_advantages_are_of_single_tokens_and_rewards_of_the_batch(model, tmp_path):
    trainer, batch = scripted(model, tmp_path, settings(model, rewards=("codebleu",), write=0.0))
    assert batch["advantages"].shape == batch["completion_ids"].shape
    assert trainer._rewards_BK.shape == (8, 2)
    code = tokens_of(trainer, batch, "code")
    assert batch["advantages"][code].any()
    assert not batch["advantages"][~code].any()
    assert "old_per_token_logps" not in batch  # the policy that sampled is the one that learns


def test_replies_to_one_prompt_are_learned_from_together(model, tmp_path):
    chosen = settings(model, rewards=("codebleu",), prompts=4, rows_at_once=8)
    rollout, trainer = prepared(tiny_tasks.material(), tmp_path, chosen, None)
    rollout.sampler = Script(trainer.processing_class)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = parts = trainer.args.gradient_accumulation_steps
    for trainer._step in range(parts):
        part = trainer._prepare_inputs([{"prompt": str(n // 4)} for n in range(16)])
        for group in part["prompt_ids"].split(4):
            assert (group == group[0]).all()
    rollout.close()


def test_where_the_loss_is_a_mean_of_each_part_credit_goes_by_the_parts_length(model, tmp_path):
    chosen = settings(model, rewards=("codebleu",), rows_at_once=2)
    found = {}
    for loss in ("bnpo", "dr_grpo"):
        _, batch = scripted(model, tmp_path / loss, replace(chosen, loss=loss))
        found[loss] = batch["advantages"]
    lengths = batch["completion_mask"].sum(dim=1).float()
    for part in (slice(0, 2), slice(2, 4)):
        expected = found["dr_grpo"][part] * lengths[part].mean() / lengths.mean()
        assert torch.allclose(found["bnpo"][part], expected)
        assert expected.any()
    assert lengths[:2].mean() != lengths[2:4].mean()


def test_padding_of_all_rows_is_not_scored(model, tmp_path):
    trainer, batch = scripted(model, tmp_path, settings(model, rewards=("codebleu",)))
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
    kept = batch["completion_ids"].shape[1]
    scored = trainer._get_per_token_logps_and_entropies
    alone = scored(trainer.model, ids, mask, kept)
    wide = [torch.nn.functional.pad(values, (5, 7)) for values in (ids, mask)]
    padded = scored(trainer.model, *wide, kept + 7)
    for values, others in zip(alone[:2], padded[:2], strict=True):
        assert torch.equal(torch.nn.functional.pad(values, (0, 7)), others)


def test_prompts_that_are_read_once_score_as_trls_fused_head_does(model, tmp_path):
    """Log-probabilities, entropies, and what is learned from them."""
    trainer, batch = scripted(model, tmp_path, settings(model, rewards=("codebleu",)))
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
    asked = (trainer.model, ids, mask, batch["completion_ids"].shape[1])
    ours = trainer._get_per_token_logps_and_entropies(*asked, compute_entropy=True)
    theirs = super(type(trainer), trainer)._get_per_token_logps_and_entropies(
        *asked, compute_entropy=True
    )
    real = batch["completion_mask"].bool()
    close = 0.05 if has_bfloat16(torch, "cpu") else 1e-5
    for mine, other in zip(ours[:2], theirs[:2], strict=True):
        assert torch.allclose(mine[real].float(), other[real].float(), atol=close)
    weights = list(trainer.model.parameters())
    mine, other = (
        torch.autograd.grad((logps * torch.arange(8)[:, None])[real].mean(), weights)
        for logps, *_ in (ours, theirs)
    )
    for a, b in zip(mine, other, strict=True):
        assert (a - b).abs().max() < max(10 * close, 1e-4) * b.abs().max() + 1e-8


SEVEN = """
SPAN = "code"
JUDGED = False
def reward(completions, *, reply, **_):
    return [1.0 if "* 7" in said.code else -1.0 for said in reply]
"""


@pytest.mark.slow
def test_it_learns_what_is_rewarded_and_the_folder_is_a_model_with_card_and_curves(
    policy, tmp_path
):
    before = (policy / "model.safetensors").read_bytes()
    seven, out = tmp_path / "seven.py", tmp_path / "out"
    seven.write_text(SEVEN)
    chosen = settings(
        policy, rewards=(str(seven),), steps=14, replies=8, write=1.0, max_tokens=24, kl=0.02
    )
    seen = []
    done = train(
        tiny_tasks.material(), out, chosen, None, about={"from": "here"},
        on_step=lambda step, steps: seen.append((step, steps)),
    )  # fmt: skip
    assert (done.steps, done.stopped) == (14, "")
    assert (14, 14) in seen
    means = curve(out, "rewards/seven/mean")
    assert sum(means[-3:]) / 3 > sum(means[:3]) / 3 + 0.4
    assert curve(out, "kl")[0] == 0 < curve(out, "kl")[-1]
    rates = curve(out, "learning_rate")
    assert rates[0] < max(rates) > 2 * rates[-1]  # it rises, and then falls to nothing
    card = (out / "README.md").read_text()
    assert "| from | here |" in card
    assert "| malformed replies |" in card
    assert not (out / "checkpoints").exists()
    assert not (out / "ended").exists()
    assert (policy / "model.safetensors").read_bytes() == before
    ((reply,),) = create(None, model=str(out)).sample(
        [Request(tiny_tasks.TASKS[0], "generate")], 1, Sampling(temperature=0, max_tokens=24)
    )
    assert "* 7" in reply.code
    again = {
        "material": tiny_tasks.material(),
        "out": out,
        "judge": None,
        "about": {"from": "here"},
    }
    assert train(settings=chosen, **again) == done  # done is done
    with pytest.raises(SelfdebugError, match=r"kl = 0.02.*choose another folder"):
        train(settings=replace(chosen, kl=0.5), **again)


@pytest.mark.slow
def test_lora_with_all_rewards_on_programs_that_were_run(policy, sandbox, tmp_path):
    chosen = settings(policy, rank=4, steps=3, replies=8, write=0.5, max_tokens=60)
    train(tiny_tasks.material(), tmp_path, chosen, sandbox)
    replies = [json.loads(line) for line in (tmp_path / "replies.jsonl").read_text().splitlines()]
    assert {reply["kind"] for reply in replies} <= {"write", "refine", "keep"}
    assert {"pass", "wrong"} & {reply["status"] for reply in replies}
    assert all({"form", "tests", "codebleu", "checked"} == set(r["rewards"]) for r in replies)
    names = set(json.loads((tmp_path / CURVES).read_text().splitlines()[2]))
    assert {"kl", "entropy", "completions/mean_length", "rewards/tests/mean", "spans/code"} <= names
    assert {"replies/equal_groups", "replies/malformed", "replies/cut"} <= names
    said = json.loads((tmp_path / "adapter_config.json").read_text())
    assert said["base_model_name_or_path"] == str(policy.resolve())
    assert create(None, model=str(tmp_path)).sample(
        [Request(tiny_tasks.TASKS[0], "generate")], 1, Sampling(max_tokens=4)
    )


@pytest.mark.slow
def test_an_adapter_is_trained_on_and_kl_is_measured_to_what_it_was(policy, tmp_path):
    peft, transformers = libraries("peft", "transformers")
    base = transformers.AutoModelForCausalLM.from_pretrained(policy)
    first, second = tmp_path / "sft", tmp_path / "rl"
    adapted = peft.get_peft_model(base, modelfolder.lora(base, 4))
    for name, weights in adapted.named_parameters():
        if "lora_B" in name:  # it has learned something
            torch.nn.init.normal_(weights, std=0.01)
    adapted.save_pretrained(first)
    load_tokenizer(str(policy)).save_pretrained(first)
    praise = tmp_path / "praise.py"
    praise.write_text(PRAISE.format(span="reply"))
    chosen = settings(
        first, rank=4, rewards=(str(praise),), weights=("form=0",), steps=3, replies=4,
        save_every=2,
    )  # fmt: skip
    train(tiny_tasks.material(), second, chosen, None)
    assert curve(second, "kl")[0] == pytest.approx(0, abs=1e-6)
    assert curve(second, "kl")[-1] > 0
    said = json.loads((second / "adapter_config.json").read_text())
    assert said["base_model_name_or_path"] == str(policy.resolve())
    load = libraries("safetensors.torch")[0].load_file
    before, after = (load(f / "adapter_model.safetensors") for f in (first, second))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert not (second / "ref").exists()
    with pytest.raises(SelfdebugError, match="is an adapter"):
        train(tiny_tasks.material(), tmp_path / "other", replace(chosen, rank=0), None)


def test_codebleu_alone_runs_no_program(model, tmp_path):
    chosen = settings(model, rewards=("codebleu",), steps=2, replies=2, max_tokens=12)
    assert train(tiny_tasks.material(), tmp_path, chosen, None).steps == 2
    rows = [json.loads(line) for line in (tmp_path / "replies.jsonl").read_text().splitlines()]
    assert {row["status"] for row in rows} == {"not judged"}
    assert all(set(row["rewards"]) == {"form", "codebleu"} for row in rows)
    logged = json.loads((tmp_path / CURVES).read_text().splitlines()[0])
    assert logged["spans/reply"] == logged["rewards/form/mean"] == -5


RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import test_rl as t
with t.Sandbox(workers=1) as box:
    t.train(t.tiny_tasks.material(), sys.argv[3], t.settings(sys.argv[2], steps=8, write=0.5), box,
            on_step=lambda step, steps: print(step, flush=True))
"""


@pytest.mark.slow
def test_killed_and_resumed_it_ends_with_the_weights_of_an_uninterrupted_run(policy, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    command = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(policy)]
    subprocess.run([*command, str(whole)], capture_output=True, check=True)
    with subprocess.Popen(
        [*command, str(torn)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line.strip() == "5":  # a checkpoint is behind, another not yet there
                os.killpg(process.pid, signal.SIGKILL)
                break
    assert not (torn / "README.md").exists()
    subprocess.run([*command, str(torn)], capture_output=True, check=True)
    found = [
        libraries("safetensors.torch")[0].load_file(f / "model.safetensors") for f in (whole, torn)
    ]
    for name, weights in found[0].items():
        assert torch.equal(weights, found[1][name]), name
    for name in ("loss", "reward", "kl"):
        assert curve(whole, name) == curve(torn, name)
    assert (whole / "replies.jsonl").read_text() == (torn / "replies.jsonl").read_text()


def row(step, **changes):
    usual = {
        "step": step, "replies/equal_groups": 0.2, "replies/unchanged": 0.1,
        "replies/malformed": 0.1, "completions/mean_length": 50.0,
    }  # fmt: skip
    return {**usual, **{f"replies/{name}": value for name, value in changes.items()}}


class TestCollapse:
    @pytest.mark.parametrize(
        ("sign", "message"),
        [
            ({"equal_groups": 1.0}, "nothing to learn"),
            ({"unchanged": 0.97}, "gave the wrong program back"),
            ({"malformed": 0.6}, "no end or lacked a part"),
        ],
    )
    def test_a_sign_that_lasts_stops_the_run_and_one_that_passes_does_not(self, sign, message):
        well = [row(n) for n in range(PATIENCE)]
        ill = [row(n, **sign) for n in range(PATIENCE)]
        assert message in collapsed(well + ill)
        assert collapsed(well + ill[1:]) == ""
        assert collapsed(well + ill[1:] + well) == ""
        assert collapsed(ill) == ""  # a run that has hardly begun

    def test_replies_that_grow_twice_as_long(self):
        long = [{**row(n), "completions/mean_length": 101.0} for n in range(PATIENCE)]
        assert "2 times as long" in collapsed([row(n) for n in range(PATIENCE)] + long)

    @pytest.mark.slow
    def test_the_run_says_so_and_keeps_what_it_has(self, model, tmp_path):
        flat = tmp_path / "flat.py"
        flat.write_text("SPAN = 'code'\nJUDGED = False\ndef reward(completions, **_):\n"
                        "    return [1.0] * len(completions)\n")  # fmt: skip
        chosen = settings(
            model, rewards=(str(flat),), weights=("form=0",), steps=60, max_tokens=8,
            learning_rate=0.0, write=0.0,
        )  # fmt: skip
        out = tmp_path / "out"
        done = train(tiny_tasks.material(), out, chosen, None)
        assert 2 * PATIENCE <= done.steps < 60
        assert "nothing to learn" in done.stopped
        assert "nothing to learn" in (out / "README.md").read_text()
        assert (out / "model.safetensors").is_file()


def test_the_figures_of_a_step_are_what_their_names_say():
    asks = {kind: replace(tiny_tasks.ask("double"), kind=kind) for kind in ("refine", "keep")}
    wrong, right = tiny_tasks.program("double", 7), tiny_tasks.program("double", 2)

    def made(kind, code, passed):
        said = Completion(f"Line 2.\n{code}", code, "Line 2.")
        status = "pass" if passed else "wrong"
        verdict = Verdict(
            "double", "", (replace(tiny_tasks.failure("double", 7), status=status),), ""
        )
        return {
            "ask": asks[kind], "request": tiny_tasks.request(asks[kind]), "reply": said,
            "verdict": verdict, "failure": asks[kind].failure, "fixed": [right],
        }  # fmt: skip

    rows = [made("refine", wrong, False), made("refine", right, True)]
    rows += [made("keep", right, True), made("keep", wrong, False)]
    found = figures(rows, [[0.0, 1.0], [0.0, 2.0], [0.0, None], [0.0, None]], [[0, 1], [2, 3]])
    assert found == {
        "replies/equal_groups": 0.5,
        "replies/unchanged": 0.5,
        "replies/refine": 0.5,
        "replies/breaking": 0.5,
        "replies/malformed": 0.0,
        "replies/cut": 0.0,
        "replies/explained": 1 / 3,  # a line, but neither code nor what the test showed
    }
