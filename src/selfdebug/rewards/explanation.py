"""Likeness of an explanation to those of correct repairs of the same program, as LeDex has it.

The likeness is the cosine of two texts' vectors: of any sentence-transformers model, or, where
there is none, of plain TF-IDF vectors (Salton & Buckley 1988), which know words and no meaning.

    python -c "from selfdebug.rewards.explanation import TfIdf
    print(TfIdf(['a line', 'a loop', 'a value']).cosine('the loop', 'a loop'))"
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from statistics import fmean
from typing import Any, Protocol

from selfdebug.types import Completion, SelfdebugError

SPAN = "explanation"
JUDGED = False


class Similarity(Protocol):
    """Compares two texts, and knows what its cosines are worth."""

    def cosine(self, text: str, other: str) -> float:
        """Return the cosine of the two texts' vectors, in [-1, 1]."""
        ...

    def scaled(self, s: float) -> float:
        """Return the reward of a mean cosine, in [-5, 5]."""
        ...


def reward(
    completions: Sequence[Any],
    *,
    reply: Sequence[Completion],
    explanations: Sequence[Sequence[str]],
    similarity: Similarity | None = None,
    **_: Any,
) -> list[float | None]:
    """Return R(explanation), in [-5, 5].

    explanations: of the verified repairs of the program that each reply refines. None where there
    are none, or where the reply explains nothing. similarity: by counts of words if not given.
    """
    del completions
    chosen = similarity or TfIdf(())
    scores = [score(said, known, chosen) for said, known in zip(reply, explanations, strict=True)]
    return [None if s is None else chosen.scaled(s) for s in scores]


def score(reply: Completion, explanations: Sequence[str], similarity: Similarity) -> float | None:
    """Return S_ex, the mean cosine to the explanations of correct repairs."""
    if not reply.explanation.strip() or not explanations:
        return None
    return fmean(similarity.cosine(reply.explanation, text) for text in explanations)


def ledex(s: float) -> float:
    """Return (50 s - 35) / 3, clipped to [-5, 5] (Jiang et al. 2024, section 3.3)."""
    return min(5.0, max(-5.0, (50 * s - 35) / 3))


class Sentences:
    """The vectors of a sentence-transformers model; LeDex's scale, which was made for such."""

    def __init__(self, model: str) -> None:
        """Load a model: a folder, or a name on the Hugging Face hub."""
        try:
            library = import_module("sentence_transformers")
        except ImportError as error:
            raise SelfdebugError(
                f"similarity {model!r} needs pip install sentence-transformers; tfidf needs nothing"
            ) from error
        try:
            loaded = library.SentenceTransformer(model)
        except (OSError, ValueError) as error:
            said = " ".join(str(error).split())[:200]
            raise SelfdebugError(f"cannot load the sentence model {model}: {said}") from error

        @lru_cache(maxsize=65_536)
        def vector(text: str) -> list[float]:
            return loaded.encode(text, normalize_embeddings=True).tolist()

        self._vector = vector

    def cosine(self, text: str, other: str) -> float:
        """Return the cosine of the two texts' vectors."""
        pairs = zip(self._vector(text), self._vector(other), strict=True)
        return min(1.0, math.fsum(a * b for a, b in pairs))

    def scaled(self, s: float) -> float:
        """Return LeDex's R(explanation)."""
        return ledex(s)


class TfIdf:
    """TF-IDF vectors; words that many of `texts` have count little."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Count in how many of the texts each word stands."""
        self._texts = len(texts)
        self._having = Counter(word for text in texts for word in set(_words(text)))

    def cosine(self, text: str, other: str) -> float:
        """Return the cosine of the two texts' vectors, in [0, 1]."""
        left, right = self._vector(text), self._vector(other)
        dot = math.fsum(weight * right[word] for word, weight in left.items() if word in right)
        norm = _norm(left) * _norm(right)
        return min(1.0, dot / norm) if norm else 0.0

    def scaled(self, s: float) -> float:
        """Return 10 s - 5: below LeDex's 0.4 lie most cosines of words, and all would be -5."""
        return 10 * s - 5

    def _vector(self, text: str) -> dict[str, float]:
        return {
            word: count * (math.log((1 + self._texts) / (1 + self._having[word])) + 1)
            for word, count in Counter(_words(text)).items()
        }


def _norm(vector: dict[str, float]) -> float:
    return math.sqrt(math.fsum(weight * weight for weight in vector.values()))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())
