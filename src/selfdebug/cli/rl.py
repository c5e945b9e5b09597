"""The verb `train rl`.

selfdebug train rl --help
"""

from __future__ import annotations

import typer

from selfdebug.cli import options as o
from selfdebug.cli import rl_options as r
from selfdebug.cli.printing import NO, YES, counting, note, show
from selfdebug.cli.verbs import train


@train.command()
def rl(
    context: typer.Context,
    folders: o.TrainingFolders,
    out: o.Folder,
    model: o.Model = None,
    reward: r.Rewards = None,
    weight: r.Weights = None,
    all_pass_bonus: r.Bonus = None,
    similarity: r.Similarity = None,
    steps: r.Steps = None,
    prompts: r.Prompts = None,
    replies: r.Replies = None,
    write: r.Write = None,
    keep: r.Keep = None,
    explain: r.Explain = None,
    turns: r.Turns = None,
    refresh: r.Refresh = None,
    temperature: r.Temperature = None,
    max_tokens: r.MaxTokens = None,
    feedback: o.Feedback = None,
    learning_rate: r.LearningRate = None,
    kl: r.KL = None,
    loss: r.Loss = None,
    rank: o.Rank = None,
    save_every: r.SaveEvery = None,
    rows_at_once: r.RowsAtOnce = None,
    device: o.Device = None,
    seed: o.TrainSeed = None,
    source: o.Source = "",
    json: o.Json = False,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Train a model by rewards, each on its own words.

    Needs a model that `train sft` made. Stopped at any moment, the same command goes on. With
    --reward codebleu alone no program is run. Exits 1 when training collapsed and was stopped.
    """
    from contextlib import nullcontext

    from selfdebug.interfaces import reinforcement
    from selfdebug.rl import needs_judge
    from selfdebug.sandbox import Sandbox

    settings = reinforcement.rl_settings(out, context.params)
    runs_programs = needs_judge(settings.rewards)
    sandbox = Sandbox(allow_unsafe=allow_unsafe) if runs_programs else nullcontext()
    with sandbox as judge, counting("steps") as on_step:
        done = reinforcement.run_rl(folders, out, settings, judge, source=source, on_step=on_step)
    row = reinforcement.rl_row(done)
    show(json, reinforcement.as_json(done), reinforcement.HEADS, [row])
    if done.stopped:
        note(done.stopped)
    raise typer.Exit(NO if done.stopped else YES)
