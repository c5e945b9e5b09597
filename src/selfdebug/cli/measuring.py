"""The verbs that measure: `eval`, of one backend or of several models, and `compare`.

selfdebug eval demo --backend search --out runs/demo
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import typer

from selfdebug.cli import options as o
from selfdebug.cli import ray_options as r
from selfdebug.cli.printing import HARNESS_FAULT, YES, note, progress, say, show
from selfdebug.cli.verbs import app


@app.command("eval")
def evaluate_(
    context: typer.Context,
    benchmark: o.Benchmark,
    out: o.Folder,
    backend: o.Backend = "search",
    option: o.BackendOptions = None,
    model: o.Models = None,
    split: o.Split = "",
    source: o.Source = "",
    limit: o.Limit = o.ALL,
    jobs: o.Jobs = 1,
    trained_on: o.TrainedOn = None,
    repairs: o.RepairFile = None,
    config: o.Config = None,
    mode: o.Mode = None,
    feedback: o.Feedback = None,
    max_iterations: o.Iterations = None,
    samples: o.Samples = None,
    start: o.Start = None,
    check_right: o.CheckRight = None,
    temperature: o.Temperature = None,
    refine_temperature: o.LaterTemperature = None,
    top_p: o.TopP = None,
    max_tokens: o.MaxTokens = None,
    seed: o.Seed = None,
    ray: r.Address = "",
    ray_writers: r.Writers = 0,
    json: o.Json = False,
    allow_unsafe: o.Unsafe = False,
) -> None:
    """Measure a backend, or models side by side, on a benchmark.

    Fills a folder with episodes and a report; stopped at any moment, the same command goes on
    where it was. With --model, each model is measured refining, and explaining before it refines,
    and the report is the one of `compare`. Exits 0 when all was measured, 3 when the harness
    failed on some tasks.
    """
    from selfdebug.compare import compare
    from selfdebug.evaluate import evaluate
    from selfdebug.interfaces import grid, runs
    from selfdebug.interfaces.machines import machines
    from selfdebug.report.comparison import write_comparison

    settings = runs.settings(context.params, config)
    if models := grid.models(model or []):
        grid.check(backend, mode)
    tasks = runs.tasks(benchmark, split, source, limit, trained_on or [])
    where = machines(ray, writers=ray_writers, calls=jobs, allow_unsafe=allow_unsafe)
    with where as on, progress(benchmark) as on_episode:
        measured = partial(
            evaluate, tasks, judge=on.judge, jobs=jobs * on.copies, repairs=runs.repairs(repairs),
            about={"benchmark": benchmark, "split": split}, on_episode=on_episode,
        )  # fmt: skip
        if not models:
            found = measured(on.backend(backend, option or []), folder=out, settings=settings)
            show(
                json, runs.as_json(found.rows, found.unknown), runs.HEADS, runs.figures(found.rows)
            )
            note(runs.write_report(out, found))
            raise typer.Exit(HARNESS_FAULT if found.unknown else YES)
        unknown = list[str]()
        for name, path in models.items():
            opened = on.backend("transformers", [*(option or []), f"model={path}"])
            writer = grid.Remembering(opened)
            for folder, (_, way) in grid.runs(out, [name]).items():
                found = measured(writer, folder=folder, settings=replace(settings, mode=way))
                unknown += found.unknown
    measured_runs = grid.runs(out, models)
    compared = compare(list(measured_runs), rounds=settings.max_iterations)
    write_comparison(compared, list(measured_runs), out / "report.html")
    value = {**runs.comparison_json(compared), "unknown": unknown}
    show(json, value, grid.HEADS, grid.rows(compared, measured_runs.values()))
    note(f"report: {out / 'report.html'}")
    raise typer.Exit(HARNESS_FAULT if unknown else YES)


@app.command("compare")
def compare_(
    folders: o.Runs,
    rounds: o.Rounds = 4,
    control: o.Control = None,
    kind: o.BugKind = "",
    page: o.ComparisonPage = None,
    training: o.TrainingCurves = None,
    json: o.Json = False,
) -> None:
    """Set evaluations side by side, round by round.

    Shows what each run passes and fixes, then each run minus each control with paired intervals
    over tasks, at as many rounds and at as many tokens.
    """
    from selfdebug.compare import compare
    from selfdebug.interfaces import runs
    from selfdebug.report.comparison import write_comparison

    found = compare(folders, rounds=rounds, controls=control or [], kind=kind)
    if page is not None:
        write_comparison(found, folders, page, training=training or [])
        note(f"report: {page}")
    if json:
        return show(json, runs.comparison_json(found), (), ())
    show(json, None, runs.GRID, runs.grid(found))
    show(json, None, runs.DIFFERENCES, runs.differences(found))
    for line in runs.sentences(found):
        say(line)
