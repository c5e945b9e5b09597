"""The options of `train rl`; the defaults that `--help` shows are those of `rl.Settings`.

selfdebug train rl --help
"""

from __future__ import annotations

from typing import Annotated

from typer import Option

Rewards = Annotated[
    list[str] | None,
    Option("--reward", help="tests, codebleu, checked, explanation or ./mine.py; repeatable.",
           show_default="tests, codebleu and checked"),
]  # fmt: skip
Weights = Annotated[
    list[str] | None, Option("--weight", help="Of a reward, as NAME=NUMBER; repeatable.")
]
Bonus = Annotated[
    float | None,
    Option("--all-pass-bonus", help="For a program that passes every test.", show_default="0.0"),
]
Similarity = Annotated[
    str | None,
    Option(help="Of the reward explanation: tfidf, or a sentence-transformers model.",
           show_default="tfidf"),
]  # fmt: skip
Steps = Annotated[int | None, Option(min=1, show_default="100")]
Prompts = Annotated[int | None, Option(help="Of a step.", min=1, show_default="8")]
Replies = Annotated[int | None, Option(help="To each prompt.", min=2, show_default="8")]
Write = Annotated[
    float | None,
    Option(help="Share of prompts that ask for a program.", min=0.0, max=1.0, show_default="0.25"),
]
Keep = Annotated[
    float | None,
    Option(help="Share that show a right one.", min=0.0, max=1.0, show_default="0.1"),
]
Explain = Annotated[
    float | None,
    Option(help="Of the others, share that explain.", min=0.0, max=1.0, show_default="0.75"),
]
Turns = Annotated[
    int | None,
    Option(help="Refinements of a program, one after the other.", min=1, show_default="2"),
]
Refresh = Annotated[
    int | None,
    Option(help="Steps after which the policy's own wrong programs are dropped.", min=1,
           show_default="5"),
]  # fmt: skip
Temperature = Annotated[float | None, Option(min=0.01, show_default="1.0")]
MaxTokens = Annotated[int | None, Option(help="Of one reply.", min=1, show_default="512")]
LearningRate = Annotated[float | None, Option(show_default="2e-05")]
KL = Annotated[
    float | None, Option("--kl", help="Weight of the KL to --model.", min=0.0, show_default="0.05")
]
Loss = Annotated[
    str | None, Option(help="One of TRL's, with a weight a token.", show_default="grpo")
]
SaveEvery = Annotated[int | None, Option(help="Steps.", min=1, show_default="10")]
RowsAtOnce = Annotated[
    int | None,
    Option(help="Replies of one forward pass.", min=0, show_default="by the model's size"),
]
