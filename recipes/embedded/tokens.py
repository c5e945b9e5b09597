"""Conversations as token ids, and copies of token sequences that are no conversations.

python -m recipes.pretrain_embedded train --out runs/embedded --until 18:25
"""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import Any

from recipes.embedded.documents import UNCHANGED, Corpus, document
from recipes.embedded.training import Ids
from recipes.embedded.vocabulary import ASSISTANT, END, USER
from selfdebug import prompts
from selfdebug.types import Example

COPY = 0.12  # share of the documents that are copies of what is no program, or no longer one


class Reader:
    """Draws documents of a corpus as token ids; unchanged: see `documents.document`."""

    def __init__(self, tokenizer: Any, corpus: Corpus, unchanged: float = UNCHANGED) -> None:
        self._tokenizer = tokenizer
        self._corpus = corpus
        self._unchanged = unchanged
        self._vocabulary = range(4, len(tokenizer))  # after the marks of the chat

    def draw(self, rng: Random) -> Ids:
        """Return one document."""
        if rng.random() < COPY:
            return self.copy(rng)
        return self.ids(document(self._corpus, rng, self._unchanged))

    def ids(self, example: Example) -> Ids:
        """Return a conversation's tokens, and how many of them are its prompt."""
        prompt = self._encode("".join(map(_marked, example.prompt)) + ASSISTANT)
        said = self._encode("".join(map(_marked, example.completion)).removeprefix(ASSISTANT))
        return prompt + said, len(prompt)

    def copy(self, rng: Random) -> Ids:
        """Return a sequence and again the same: random tokens, phrases, or a changed program.

        Where the last tokens before a place came before elsewhere too, as in `a = [x for x in` and
        `b = [x * 2 for x in`, only what stands further back tells what comes next. So some
        sequences are drawn from a few tokens, in some the same phrase comes again and again among
        others, and in some a stretch of a program comes twice, a little changed.
        """
        kind = rng.random()
        if kind < 0.15:
            return self.noise(rng.randint(5, 80), rng)
        if kind < 0.35:
            few = rng.choices(self._vocabulary, k=rng.randint(3, 12))
            return self._twice(rng.choices(few, k=rng.randint(5, 50)))
        if kind < 0.55:
            return self._twice(self._phrases(rng))
        task = rng.choice(self._corpus.tasks)
        segment = self._encode(prompts.fenced(task.language, task.reference))
        if kind < 0.8:
            start, length = rng.randrange(len(segment)), rng.randint(6, 24)
            stretch = segment[start : start + length]
            segment[start:start] = self._changed(stretch, rng)
            return self._twice(segment)
        return self._twice(self._changed(segment, rng))

    def _phrases(self, rng: Random) -> list[int]:
        """Return one phrase several times, with other tokens between."""
        phrase = rng.choices(self._vocabulary, k=rng.randint(2, 6))
        others = (rng.choices(self._vocabulary, k=rng.randint(1, 6)) for _ in range(5))
        return [token for some in islice(others, rng.randint(2, 5)) for token in some + phrase]

    def _changed(self, segment: list[int], rng: Random) -> list[int]:
        others = rng.choices(self._vocabulary, k=len(segment))
        pairs = zip(segment, others, strict=True)
        return [other if rng.random() < 0.15 else one for one, other in pairs]

    def noise(self, length: int, rng: Random) -> Ids:
        """Return random tokens, and again the same."""
        return self._twice(rng.choices(self._vocabulary, k=length))

    def _twice(self, segment: list[int]) -> Ids:
        user, assistant, end = self._encode(USER + ASSISTANT + END)
        prompt = [user, *segment, assistant]
        return [*prompt, *segment, end], len(prompt)

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer.backend_tokenizer.encode(text).ids


def _marked(message: Any) -> str:
    if message["role"] == "assistant":
        return f"{ASSISTANT}{message['content']}{END}"
    return f"{USER}{message['content']}"
