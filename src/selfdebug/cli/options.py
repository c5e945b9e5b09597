"""The options of the verbs: their types, names and help.

Settings of a run are None when not given, so that a --config can fill them in; the default that
`--help` shows is the one of `evaluate.Settings`, and a test compares the two.

    selfdebug eval --help
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

ALL = sys.maxsize

Json = Annotated[bool, Option("--json", help="Print JSON for programs to read.")]
Unsafe = Annotated[bool, Option("--allow-unsafe", help="Run even where no sandbox tier holds.")]
Source = Annotated[str, Option(help='Folder of the benchmark\'s data, or "hub" (Hugging Face).')]

Program = Annotated[Path, Argument(help="The program's file.")]
TaskName = Annotated[str, Option(help="BENCHMARK:ID, such as mbpp:3.")]
TaskFile = Annotated[Path | None, Option(help="JSONL file of tasks: see docs/tasks.md.")]

UserTests = Annotated[
    Path | None, Option(help="Test file, folder or file::test; found by name if not given.")
]
Apply = Annotated[bool, Option("--apply", help="Write the mended file.")]
Force = Annotated[bool, Option("--force", help="Write even over uncommitted changes.")]
PytestPlugins = Annotated[
    list[str] | None, Option("--plugin", help="A pytest plugin to load; repeatable.")
]
FixIterations = Annotated[int, Option(help="Programs to try one after the other.", min=1)]

Kind = Annotated[str, Argument(help="Only benchmarks, mutators, backends, languages or feedback.")]

Benchmark = Annotated[str, Argument(help="humanevalpack, tasks.jsonl, ./mine.py, ...")]
Folder = Annotated[Path, Option(help="The run's folder; the same one resumes and extends it.")]
Run = Annotated[Path, Argument(help="The run's folder.")]
Backend = Annotated[str, Option(help="Who writes programs: see `selfdebug ls backends`.")]
BackendOptions = Annotated[
    list[str] | None, Option("--option", help="Of the backend, as NAME=VALUE; repeatable.")
]
Models = Annotated[
    list[str] | None,
    Option(
        "--model",
        help="NAME=MODEL for `transformers`: measured in both modes, side by side; repeatable.",
    ),
]
Split = Annotated[str, Option(help="A part of the benchmark; its own default if not given.")]
Limit = Annotated[int, Option(help="Only the first N tasks.", min=1, show_default="all")]
Jobs = Annotated[int, Option(help="Tasks at a time.", min=1)]
Config = Annotated[Path | None, Option(help="A run.toml to take the settings below from.")]
RepairFile = Annotated[
    Path | None,
    Option("--repairs", help="JSONL file for --feedback retrieved and shuffled."),
]

Mode = Annotated[
    str | None,
    Option(help="generate (resample), refine or explain_refine.", show_default="explain_refine"),
]
Feedback = Annotated[
    str | None, Option(help="See `selfdebug ls feedback`; joined by +.", show_default="tests")
]
Iterations = Annotated[
    int | None,
    Option("--max-iterations", help="Programs after the first.", min=0, show_default="3"),
]
Samples = Annotated[
    int | None, Option(help="Episodes a task; more extend a run.", min=1, show_default="1")
]
Start = Annotated[
    str | None,
    Option(help="broken (the known bug), generate or auto (broken if any).", show_default="auto"),
]
CheckRight = Annotated[
    bool | None, Option("--check-right", help="Also count right programs that it breaks.")
]
Temperature = Annotated[float | None, Option(min=0.0, show_default="0.8")]
LaterTemperature = Annotated[
    float | None,
    Option(
        "--refine-temperature",
        help="Of the programs after the first, until one comes again.",
        min=0.0,
        show_default="the same",
    ),
]
TopP = Annotated[float | None, Option(min=0.0, max=1.0, show_default="1.0")]
MaxTokens = Annotated[int | None, Option(help="Of one reply.", min=1, show_default="1024")]
Seed = Annotated[int | None, Option(help="Of the first episode.", show_default="0")]

Runs = Annotated[list[Path], Argument(help="Folders of `eval`, the control first.")]
Rounds = Annotated[int, Option(help="Programs after the first.", min=0)]
Control = Annotated[
    list[str] | None,
    Option(help="A run that the others are compared with; repeatable.", show_default="the first"),
]
ComparisonPage = Annotated[
    Path | None,
    Option("--report", help="Also write an HTML page; it shows the last run's episodes."),
]
TrainingCurves = Annotated[
    list[Path] | None,
    Option(help="A folder of `train` whose curves are shown; repeatable."),
]
BugKind = Annotated[str, Option("--kind", help="Only this kind of bug.", show_default="all")]

Tasks = Annotated[list[str], Argument(help="BENCHMARK:SPLIT, such as mbpp:train.")]
Total = Annotated[
    int | None, Option(help="Repairs in all.", min=1, show_default="as before, or 1000")
]
More = Annotated[int, Option(help="Repairs on top of what was asked for before.", min=0)]
BugSeed = Annotated[int, Option("--seed", help="The same seed gives the same repairs.")]
Kinds = Annotated[
    list[str] | None,
    Option(help="Only syntax, logic, api_misuse or off_by_one; repeatable.", show_default="all"),
]
ExportTo = Annotated[Path, Option("--to", help="A .jsonl or .parquet file.")]
ExportForm = Annotated[str, Option("--format", help="prompt-completion, messages or repairs.")]
Stages = Annotated[
    list[str] | None,
    Option(help="Only generate, recognise or correct; repeatable.", show_default="all"),
]
TrainedOn = Annotated[
    list[Path] | None,
    Option(help="Repairs (a file or `inject`'s folder) whose tasks are refused; repeatable."),
]

Teacher = Annotated[
    str,
    Option(help="Who mends the failures: a backend, such as search.", show_default="--backend"),
]
TeacherOptions = Annotated[
    list[str] | None, Option("--teacher-option", help="Of the teacher, as NAME=VALUE; repeatable.")
]
HarvestSamples = Annotated[
    int | None, Option(help="Programs a task.", min=1, show_default="as before, or 20")
]
MoreSamples = Annotated[
    int, Option(help="Programs a task on top of those that were asked for before.", min=0)
]
Refinements = Annotated[
    int | None,
    Option(help="Of each distinct failure.", min=0, show_default="as before, or 10; 1 for search"),
]
HarvestTemperature = Annotated[
    float | None, Option(help="Of the programs.", min=0.0, show_default="1.0")
]
RefineTemperature = Annotated[
    float | None, Option(help="Of the refinements.", min=0.0, show_default="0.8")
]
RepliesAtOnce = Annotated[int, Option(help="Replies that are asked for in one go.", min=1)]

TrainingFolders = Annotated[list[Path], Argument(help="Folders that `inject` and `harvest` made.")]
Model = Annotated[str | None, Option(help="A folder, a Hugging Face name, or a shipped model.")]
Rank = Annotated[
    int | None, Option(help="Of LoRA; 0 trains every weight.", min=0, show_default="16")
]
Targets = Annotated[
    str | None,
    Option(help="Layers that LoRA adapts, as q_proj,v_proj.", show_default="all-linear"),
]
LearningRate = Annotated[float | None, Option(show_default="0.0002")]
Epochs = Annotated[float | None, Option(show_default="3.0")]
BatchSize = Annotated[int | None, Option(help="Examples a step.", min=1, show_default="32")]
MaxLength = Annotated[
    int | None,
    Option(help="Tokens; longer examples are left out.", min=1, show_default="2048"),
]
Order = Annotated[
    str | None,
    Option(help="mixture, or stages: one stage after the other.", show_default="mixture"),
]
HeldOut = Annotated[
    float | None,
    Option(help="Share of examples, by task.", min=0.0, max=0.5, show_default="0.1"),
]
Patience = Annotated[
    int | None,
    Option(help="Checks without a gain before it stops.", min=1, show_default="3"),
]
RowsAtOnce = Annotated[
    int | None,
    Option(help="Examples of one forward pass.", min=0, show_default="by the model's size"),
]
Device = Annotated[str | None, Option(help="cpu, cuda or auto.", show_default="auto")]
TrainSeed = Annotated[int | None, Option("--seed", show_default="0")]
Corrupt = Annotated[
    bool, Option("--corrupt", help="A control: corrections of other tasks' programs.")
]
RightShare = Annotated[
    float, Option(help="Of the examples, that show a right program.", min=0.0, max=0.9)
]
TrueClaims = Annotated[
    float,
    Option(
        help="Of what an explanation claims about lines, code and values, the least share that "
        "must hold for it to be learned from.",
        min=0.0,
        max=1.0,
    ),
]
