"""Scripted replies in a model's place: for tests, examples and dry runs of a pipeline.

The script is a list of replies, given out in order, or a function of the request and a random
generator. It knows nothing about programs and judges nothing.

    selfdebug eval demo --backend fake --option replies=replies.json --out runs/dry
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from selfdebug import prompts
from selfdebug.encoding import decode
from selfdebug.types import Completion, Judge, Request, Sampling, SelfdebugError

Script = Sequence[str] | Callable[[Request, Random], str]


class Fake:
    """A backend that replies what it was told to."""

    name = "fake"

    def __init__(self, script: Script) -> None:
        """Take a list of replies, or a function; the same seed gives it the same random numbers."""
        self._function = script if callable(script) else None
        self._replies = iter([] if callable(script) else script)
        self.requests: list[Request] = []  # everything that was asked, for a test to look at

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return the next replies of the script, n for each request."""
        self.requests += requests
        return [
            [self._complete(request, sampling.seed, row, column) for column in range(n)]
            for row, request in enumerate(requests)
        ]

    def _complete(self, request: Request, seed: int, row: int, column: int) -> Completion:
        rng = Random(f"{seed} {request.task.id} {row} {column}")
        text, task = self._reply(request, rng), request.task
        return prompts.parse(task.language, text, entry_point=task.entry_point)

    def _reply(self, request: Request, rng: Random) -> str:
        if self._function is not None:
            return self._function(request, rng)
        try:
            return next(self._replies)
        except StopIteration:
            raise SelfdebugError("the fake backend's script is at its end") from None


def create(judge: Judge, **options: str) -> Fake:
    """Open the backend; replies=FILE is a JSON list of replies."""
    del judge  # replies are not run here
    path = options.pop("replies", "")
    if options or not path:
        wrong = f"no option {next(iter(options))!r}; " if options else ""
        raise SelfdebugError(f"fake backend: {wrong}it needs replies=FILE, a JSON list of texts")
    try:
        text = Path(path).read_text(encoding="utf-8")
        return Fake(decode(tuple[str, ...], json.loads(text), "the list"))
    except (OSError, ValueError) as error:
        raise SelfdebugError(f"fake backend: cannot read {path}: {error}") from error
