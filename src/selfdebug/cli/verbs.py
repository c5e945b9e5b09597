"""The verbs: each reads its options, calls the work and says what came of it.

Nothing is done here that another interface would need too. What a verb uses is imported when the
verb runs.

    selfdebug --help
"""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from typing import Annotated

import typer

from selfdebug import __version__
from selfdebug.cli import options as o
from selfdebug.cli import ray_options as r
from selfdebug.cli.printing import (
    HARNESS_FAULT,
    NO,
    YES,
    counting,
    note,
    say,
    show,
    waiting,
)

app = typer.Typer(
    help="Run, explain and mend programs; measure models that do.\n\nExit codes: 0 yes, 1 no, "
    "2 wrong input, 3 a fault of the harness, 130 interrupted.",
    # Rich help and tracebacks cost half of the time that `--help` may take.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

train = typer.Typer(
    help="Train a model on what inject and harvest made.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
app.add_typer(train, name="train")


@app.callback(invoke_without_command=True)
def version(
    wanted: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", envvar="SELFDEBUG_OFFLINE", help="Reach no other machine.")
    ] = False,
) -> None:
    """Without a verb: say the version, or help."""
    if offline:
        from selfdebug.offline import barrier, forbid

        forbid()
        barrier.enter(note)
    if wanted:
        say(__version__)
        raise typer.Exit


@app.command()
def run(
    program: o.Program,
    task: o.TaskName = "",
    tests: o.TaskFile = None,
    source: o.Source = "",
    json: o.Json = False,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Judge a program in the sandbox, test by test.

    Exits 0 when every test passes, 1 when one does not, 3 when the harness failed.
    """
    from selfdebug.interfaces import tasks, verdicts
    from selfdebug.sandbox import Sandbox

    code, chosen = tasks.read_program(program), tasks.choose(task, tests, source)
    with Sandbox(workers=1, allow_unsafe=allow_unsafe) as sandbox:
        found = [sandbox.judge(each, code) for each in chosen]
    for verdict in found:
        show(json, verdicts.as_json(verdict), verdicts.HEADS, verdicts.rows(verdict))
        if not json:
            say(verdicts.summary(verdict))
    known = YES if all(verdict.passed for verdict in found) else NO
    raise typer.Exit(HARNESS_FAULT if any(verdict.unknown for verdict in found) else known)


@app.command()
def fix(
    program: o.Program,
    tests: o.UserTests = None,
    apply: o.Apply = False,
    force: o.Force = False,
    backend: o.Backend = "search",
    option: o.BackendOptions = None,
    plugin: o.PytestPlugins = None,
    max_iterations: o.FixIterations = 3,
    json: o.Json = False,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Mend your own file against your own tests.

    Shows an explanation and a diff; writes only with --apply, and over uncommitted changes only
    with --force. Exits 0 when all tests pass with the change (or without one), 1 when no repair
    was found, 3 when the harness failed.
    """
    from selfdebug.interfaces.fix import fix

    with waiting(f"mending {program}"):
        result = fix(
            program, tests, backend=backend, options=option or [], apply=apply, force=force,
            plugins=plugin or [], max_iterations=max_iterations, allow_unsafe=allow_unsafe,
        )  # fmt: skip
    say(jsonlib.dumps(result.as_json()) if json else result.text())
    raise typer.Exit(result.exit_code)


@app.command("inject")
def inject_(
    tasks: o.Tasks,
    out: o.Folder,
    total: o.Total = None,
    more: o.More = 0,
    seed: o.BugSeed = 0,
    kind: o.Kinds = None,
    source: o.Source = "",
    json: o.Json = False,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Put bugs into working programs, verified and explained.

    Fills a folder with repairs and a card; stopped at any moment, the same command goes on where
    it was. Tasks that an evaluation set holds too are left out.
    """
    from selfdebug.interfaces import bugs
    from selfdebug.sandbox import Sandbox

    with Sandbox(allow_unsafe=allow_unsafe) as sandbox, counting("repairs") as on_visit:
        number, notes = bugs.make(
            tasks, sandbox, out, total=total, more=more, seed=seed, kinds=kind or [],
            source=source, on_visit=lambda _, done, wanted: on_visit(done, wanted),
        )  # fmt: skip
    show(json, {"repairs": number, "notes": notes}, ("repairs",), [(f"{number}",)])
    for line in notes:
        note(line)


@app.command("harvest")
def harvest_(
    context: typer.Context,
    tasks: o.Tasks,
    out: o.Folder,
    backend: o.Backend = "transformers",
    option: o.BackendOptions = None,
    teacher: o.Teacher = "",
    teacher_option: o.TeacherOptions = None,
    samples: o.HarvestSamples = None,
    more: o.MoreSamples = 0,
    refinements: o.Refinements = None,
    limit: o.Limit = o.ALL,
    temperature: o.HarvestTemperature = None,
    refine_temperature: o.RefineTemperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    feedback: o.Feedback = None,
    seed: o.Seed = None,
    replies_at_once: o.RepliesAtOnce = 128,
    source: o.Source = "",
    ray: r.Address = "",
    ray_writers: r.Writers = 0,
    json: o.Json = False,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Collect a model's failures and how they were mended.

    Programs are sampled and judged; what fails is explained and refined by the model itself or by
    a teacher, and kept when every test passes. Stopped at any moment, the same command goes on.
    """
    from selfdebug.interfaces import training
    from selfdebug.interfaces.machines import machines

    other = (teacher, teacher_option or []) if teacher else None
    backends = 2 if other else 1
    where = machines(ray, writers=ray_writers, backends=backends, allow_unsafe=allow_unsafe)
    with where as on, counting("replies") as on_replies:
        found, notes = training.run_harvest(
            tasks, out, on, context.params, backend=(backend, option or []), teacher=other,
            more=more, limit=limit, source=source, at_once=replies_at_once, on_replies=on_replies,
        )  # fmt: skip
    heads, row = training.harvest_row(found)
    show(json, {**asdict(found), "notes": notes}, heads, [row])
    for line in notes:
        note(line)


@train.command()
def sft(
    context: typer.Context,
    folders: o.TrainingFolders,
    out: o.Folder,
    model: o.Model = None,
    stage: o.Stages = None,
    right_share: o.RightShare = 0.2,
    true_claims: o.TrueClaims = 0.0,
    corrupt: o.Corrupt = False,
    rank: o.Rank = None,
    targets: o.Targets = None,
    learning_rate: o.LearningRate = None,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    max_length: o.MaxLength = None,
    order: o.Order = None,
    held_out: o.HeldOut = None,
    patience: o.Patience = None,
    rows_at_once: o.RowsAtOnce = None,
    device: o.Device = None,
    seed: o.TrainSeed = None,
    source: o.Source = "",
    json: o.Json = False,
) -> None:
    """Fine-tune a model on repairs, with loss on replies alone.

    Tasks are held out to stop before it learns by heart. Stopped at any moment, the same command
    goes on; the folder is then a model for --option model=FOLDER.
    """
    from selfdebug import ranks
    from selfdebug.interfaces import training

    with counting("steps") as on_step:
        done = training.run_sft(
            folders, out, context.params, stages=stage or [], right_share=right_share,
            true_claims=true_claims, corrupt=corrupt, source=source, on_step=on_step,
        )  # fmt: skip
    heads, row = training.sft_row(done)
    if ranks.is_first():
        show(json, training.as_json(done), heads, [row])


@app.command("export")
def export_(
    folder: o.Run,
    to: o.ExportTo,
    form: o.ExportForm = "prompt-completion",
    stage: o.Stages = None,
    source: o.Source = "",
) -> None:
    """Write a folder's repairs as training data, as JSON lines or Parquet."""
    from selfdebug.interfaces import bugs

    say(f"{bugs.write_export(folder, form, to, stage or [], source)} rows: {to}")


@app.command()
def report(folder: o.Run) -> None:
    """Write the report of a run's folder anew."""
    from selfdebug.report import write

    say(str(write(folder)))


@app.command()
def doctor(json: o.Json = False) -> None:
    """Say what this machine can do.

    What is missing comes with the command that adds it. Exits 0 when programs can be judged in
    the sandbox, 3 when not.
    """
    from selfdebug.interfaces.doctor import checks

    found = list(checks())
    words = {True: "ok", False: "missing"}
    rows = [(words[c.ok], c.name, c.detail, "" if c.ok else c.remedy) for c in found]
    show(json, [asdict(check) for check in found], ("", "what", "found", "to add it"), rows)
    raise typer.Exit(YES if all(check.ok for check in found if check.needed) else HARNESS_FAULT)


@app.command("ls")
def list_(what: o.Kind = "", json: o.Json = False) -> None:
    """List what there is to choose from."""
    from selfdebug.interfaces.listing import listing

    found = listing(what)
    entries = [asdict(entry) for entry in found]
    show(json, entries, ("kind", "name", "what it is"), [tuple(e.values()) for e in entries])
