"""Several tokens a step: the text is the one of `generate`, whatever the draft proposes."""

from dataclasses import replace
from random import Random

import pytest

import tiny_models
from selfdebug import prompts
from selfdebug.backends import transformers as backend
from selfdebug.backends.transformers import drawing, loading, stepping
from selfdebug.backends.transformers.batching import Row
from selfdebug.types import Request, Sampling, Task

ARCHITECTURES = ("llama", "qwen2", "gpt_bigcode")
WAYS = {
    "greedy": Sampling(temperature=0, max_tokens=48),
    "sampled": Sampling(max_tokens=48),
    "narrowed": Sampling(temperature=1.3, top_p=0.7, max_tokens=48),
}
PROMPTS = [[5, 9, 77, 31], list(range(40, 70)), [8], list(range(90, 99))]
EDITS = {
    "nothing": lambda ids, rng: ids,
    "a token": lambda ids, rng: [*ids[:9], rng.randrange(600), *ids[10:]],
    "less": lambda ids, rng: [*ids[:12], *ids[17:]],
    "more": lambda ids, rng: [*ids[:12], 4, 5, 6, *ids[12:]],
    "noise": lambda ids, rng: [rng.randrange(600) for _ in ids],
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def loaded(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / request.param
    return loading.load(str(tiny_models.write_model(folder, request.param)))


def rows(settings, drafts=((),) * 4):
    room = settings.max_tokens
    return [
        Row(prompt, room, settings, str(number), draft)
        for number, (prompt, draft) in enumerate(zip(PROMPTS, drafts, strict=True))
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_draft_changes_the_cost_and_never_the_text(loaded, way, monkeypatch):
    plain = rows(WAYS[way])
    drawing.draw(loaded, plain)
    replies = [list(row.reply) for row in plain]
    calls, run = [], stepping._run
    monkeypatch.setattr(
        stepping, "_run", lambda *a, **k: (calls.append(a[2].shape), run(*a, **k))[1]
    )
    for edit in EDITS.values():
        rng, before = Random(1), len(calls)
        drafted = rows(WAYS[way], [edit(reply, rng) for reply in replies])
        stepping.draw(loaded, drafted)
        assert [list(row.reply) for row in drafted] == replies
        if edit is EDITS["nothing"]:
            assert len(calls) - before < 20  # of 48 tokens each
    together = [replace(row, draft=(), reply=None) for row in plain]
    # Each row advances by its own steps: one is drafted by its reply, the others are not.
    together[1].draft = replies[1]
    stepping.draw(loaded, together)
    assert [list(row.reply) for row in together] == replies


def test_a_reply_ends_at_its_end_token_even_in_the_midst_of_a_draft(loaded):
    end = drawing.end_tokens(loaded)[0]
    # Hot enough that some of the rows end early.
    hot = Sampling(temperature=3.0, max_tokens=200)
    asked = [Row(PROMPTS[0], 200, hot, str(number)) for number in range(24)]
    drawing.draw(loaded, asked)
    again = [replace(row, draft=[*row.reply, 7, 8, 9, 10], reply=None) for row in asked]
    stepping.draw(loaded, again)
    assert [list(row.reply) for row in again] == [list(row.reply) for row in asked]
    ended = [row for row in again if row.reply[-1] == end]
    assert len(ended) > 0
    assert all(end not in row.reply[:-1] for row in again)


def test_a_reply_may_fill_the_context_to_its_last_token(loaded):
    prompt, greedy = list(range(3, 503)), Sampling(temperature=0)
    plain = [Row(prompt, 12, greedy, "a"), Row(prompt[:40], 12, greedy, "b")]
    drawing.draw(loaded, plain)
    drafted = [replace(row, draft=[*row.reply, *[9] * 40], reply=None) for row in plain]
    stepping.draw(loaded, drafted)
    assert [list(row.reply) for row in drafted] == [list(row.reply) for row in plain]


def test_windows_and_encoders_are_left_to_generate(tmp_path):
    (t,) = loading.libraries("transformers")
    model = loading.load(str(tiny_models.write_model(tmp_path / "t5", "t5")))
    assert not stepping.fits(model)
    settings = {**tiny_models.SIZE, "intermediate_size": 128, "num_key_value_heads": 2}
    tiny_models.write_tokenizer(tmp_path / "m")
    t.MistralForCausalLM(
        t.MistralConfig(**settings, sliding_window=16, eos_token_id=2, pad_token_id=0)
    ).save_pretrained(tmp_path / "m")
    assert not stepping.fits(loading.load(str(tmp_path / "m")))


def test_the_backend_drafts_repairs_unless_it_is_told_not_to(tmp_path, monkeypatch):
    folder = tiny_models.write_model(tmp_path)
    task = Task("t", "python", "Add.", "add", ())
    asked = [
        Request(task, "refine", "def add(a, b):\n    return a - b\n", "It is wrong."),
        Request(task, "explain_refine", "def add(a):\n    return a\n", "It is wrong."),
        Request(task, "generate"),
    ]
    drafts, draw = [], stepping.draw
    monkeypatch.setattr(
        stepping, "draw", lambda model, rows: (drafts.extend(rows), draw(model, rows))[1]
    )
    on = backend.create(None, model=str(folder)).sample(asked, 2, WAYS["sampled"])
    off = backend.create(None, model=str(folder), draft="none").sample(asked, 2, WAYS["sampled"])
    assert on == off
    tokenizer = loading.load_tokenizer(str(folder))
    texts = {tokenizer.decode(row.draft) for row in drafts}
    fenced = {f"{prompts.fenced('python', r.broken)}</s>It is wrong." for r in asked if r.broken}
    assert texts == {*fenced, ""}
    assert len(drafts) == 6


def test_an_explanation_is_drafted_by_those_before_it(tmp_path, monkeypatch):
    folder = tiny_models.write_model(tmp_path)
    task, wrong = Task("t", "python", "Add.", "add", ()), "def add(a, b):\n    return a - b\n"
    explain = Request(task, "explain_refine", wrong, "It is wrong.")
    drafts, draw = [], stepping.draw
    monkeypatch.setattr(
        stepping, "draw", lambda model, rows: (drafts.extend(rows), draw(model, rows))[1]
    )
    model = backend.create(None, model=str(folder))
    said = model.sample([explain], 1, WAYS["sampled"])[0][0].explanation
    assert said
    model.sample([explain, replace(explain, mode="refine")], 1, WAYS["sampled"])
    first, *later = (loading.load_tokenizer(str(folder)).decode(row.draft) for row in drafts)
    assert first in later  # whoever does not explain does not quote
    assert any(len(text) > len(first) for text in later)
