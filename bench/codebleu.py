"""Our CodeBLEU beside the published package's, on mutants of the shipped programs.

The package (codebleu 0.7.0) needs a tree-sitter that ours cannot share, so it runs in an
environment of its own, whose Python is the argument. Shown are the correlations of each part: the
numbers differ by construction. The package splits text at blanks where we take tokens, smooths
n-grams otherwise, counts nodes of tree-sitter's grammar where we take Python's own `ast` (in
JavaScript the trees are the same), and counts items of data flow that have no source.

    python3 -m venv codebleu-env
    codebleu-env/bin/pip install codebleu==0.7.0 tree-sitter==0.22.3 tree-sitter-python==0.21.0 \
        tree-sitter-javascript==0.21.4 "setuptools<80"
    python bench/codebleu.py codebleu-env/bin/python [pairs]
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import astuple
from itertools import islice, pairwise
from random import Random
from statistics import correlation

from selfdebug import plugins
from selfdebug.rewards.codebleu import matches

PARTS = ("n-grams", "keywords", "syntax", "data flow", "CodeBLEU")
A_PROGRAM = 3  # mutants by each mutator
PAIRS = 400

THEIRS = """
import json, logging, sys
logging.disable()
from codebleu import calc_codebleu
for language, candidate, reference in json.load(sys.stdin):
    found = calc_codebleu([reference], [candidate], language)
    print(json.dumps([found[name + "_match_score"] for name in
                      ("ngram", "weighted_ngram", "syntax", "dataflow")] + [found["codebleu"]]))
"""


def main() -> None:
    wanted = int(sys.argv[2]) if sys.argv[2:] else PAIRS
    found = pairs()
    chosen = Random(0).sample(found, min(wanted, len(found)))
    done = subprocess.run(
        [sys.argv[1], "-c", THEIRS],
        input=json.dumps(chosen),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    ours = [
        [*astuple(found), found.mean]
        for language, candidate, reference in chosen
        for found in [matches(language, candidate, reference)]
    ]
    for language in ("python", "javascript"):
        # Of a program that does not parse, tree-sitter still finds parts; we count none.
        rows = [
            (mine, other)
            for mine, other, pair in zip(ours, theirs, chosen, strict=True)
            if pair[0] == language and parses(language, pair[1])
        ]
        sys.stdout.write(f"{language}, {len(rows)} pairs: correlation (our mean, theirs)\n")
        for at, part in enumerate(PARTS):
            both = [(mine[at], other[at]) for mine, other in rows if mine[at] is not None]
            mine, other = zip(*both, strict=True)
            means = sum(mine) / len(mine), sum(other) / len(other)
            sys.stdout.write(
                f"  {part:10} {correlation(mine, other):.3f} ({means[0]:.3f}, {means[1]:.3f})\n"
            )


def parses(language: str, code: str) -> bool:
    return plugins.load("languages", language).check_syntax(code) is None


def pairs() -> list[tuple[str, str, str]]:
    """(language, mutant, program), and each program beside another one of its language."""
    tasks = plugins.load("benchmarks", "demo").load("references")
    tasks = [task for task in tasks if task.reference]
    made = [(a.language, b.reference, a.reference) for a, b in pairwise(tasks)
            if a.language == b.language]  # fmt: skip
    for name in plugins.names("mutators"):
        mutator = plugins.load("mutators", name)
        made += [
            (task.language, mutation.broken, task.reference)
            for task in tasks
            if task.language == mutator.LANGUAGE
            for mutation in islice(mutator.mutate(task.reference, Random(task.id)), A_PROGRAM)
        ]
    return made


if __name__ == "__main__":
    main()
