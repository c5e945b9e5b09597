"""A folder of repairs as a data set: its card, and its export for trainers.

The card says what was made, from what, under which licences, and how many mutants were no bugs.
Exports stream: TRL's conversational prompt and completion, whole conversations, or the repairs
themselves, as JSON lines or Parquet.

    selfdebug export runs/bugs --format messages --to bugs.jsonl
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from selfdebug.store import Store, replacing, write_lines, write_text
from selfdebug.types import Example, Repair, SelfdebugError, Visit

FORMATS = ("prompt-completion", "messages", "repairs")
BATCH = 1_000  # rows of a Parquet row group


def rows(
    form: str, repairs: Iterable[Repair], examples: Iterable[Example]
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of an export format. Raises SelfdebugError for an unknown one."""
    if form not in FORMATS:
        raise SelfdebugError(f"no format {form!r}: there are {', '.join(FORMATS)}")
    if form == "repairs":
        for repair in repairs:
            # Parquet wants every column in each row, and one type a column: details differ.
            columns = {field.name: getattr(repair, field.name) for field in fields(repair)}
            yield {**columns, "details": json.dumps(repair.details, sort_keys=True)}
        return
    for example in examples:
        about = {"stage": example.stage, "task_id": example.task_id, "kind": example.kind}
        prompt, completion = list(example.prompt), list(example.completion)
        if form == "messages":
            yield {"messages": [*prompt, *completion], **about}
        else:
            yield {"prompt": prompt, "completion": completion, **about}


def export(rows: Iterator[Mapping[str, Any]], path: Path) -> int:
    """Write rows to a .jsonl or .parquet file and return how many there were."""
    if path.suffix == ".jsonl":
        return write_lines(path, (json.dumps(row, ensure_ascii=False) for row in rows))
    if path.suffix == ".parquet":
        return _parquet(rows, path)
    raise SelfdebugError(f"{path}: the name must end in .jsonl or .parquet")


def _parquet(rows: Iterator[Mapping[str, Any]], path: Path) -> int:
    try:
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise SelfdebugError(
            "Parquet needs pyarrow: pip install 'selfdebug[data]' (or export to .jsonl)"
        ) from error
    table = arrow.Table.from_pylist(list(islice(rows, BATCH)))
    count = 0
    with replacing(path) as draft, parquet.ParquetWriter(draft, table.schema) as writer:
        while len(table):
            writer.write_table(table)
            count += len(table)
            table = arrow.Table.from_pylist(list(islice(rows, BATCH)), schema=table.schema)
    return count


def write_card(out: Path, settings: Mapping[str, Any]) -> Path:
    """Write out/README.md from the files in the folder, and return its path."""
    path = out / "README.md"
    repairs = Store(out / "repairs.jsonl", Repair)
    visits = Store(out / "visits.jsonl", Visit, key=lambda visit: str(visit.number))
    write_text(path, "\n".join(_card(repairs, visits, settings)) + "\n")
    return path


def _card(
    repairs: Iterable[Repair], visits: Iterable[Visit], settings: Mapping[str, Any]
) -> Iterator[str]:
    classes: Counter[tuple[str, ...]] = Counter()
    bugs: Counter[tuple[str, ...]] = Counter()
    sources: Counter[tuple[str, ...]] = Counter()
    share: Counter[tuple[str, ...]] = Counter()
    operators: Counter[str] = Counter()
    for repair in repairs:
        details = repair.details
        classes[repair.language, repair.kind] += 1
        bugs[repair.language, str(details["bugs"])] += 1
        sources[str(details["source"]), str(details["license"])] += 1
        share[repair.language, "all" if details["all_fail"] else "some"] += 1
        operators.update(repair.mutator.split("+"))
    outcomes: Counter[tuple[str, ...]] = Counter()
    for visit in visits:
        for outcome, number in visit.outcomes.items():
            outcomes[tuple(outcome.split(" ", 1))] += number
    yield f"# {classes.total():,} verified repairs"
    yield ""
    yield "Working programs with bugs put in on purpose by `selfdebug inject`; each was run in the"
    yield "sandbox, fails a visible test, and its explanation was checked against the correction"
    yield "and the failing test."
    yield from ("", "Settings: " + ", ".join(f"{k} = {v}" for k, v in settings.items()))
    yield from _table("By class", ("language", "class", "repairs"), classes)
    yield from _table("By number of bugs", ("language", "bugs", "repairs"), bugs)
    yield from _table("By difficulty", ("language", "tests that fail", "repairs"), share)
    yield from _table("By source", ("source", "licence", "repairs"), sources)
    yield from _table("What became of each mutant", ("class", "outcome", "mutants"), outcomes)
    yield from ("", f"{len(operators)} operators took part; the most used:", "")
    yield from (f"- `{name}` {number:,}" for name, number in operators.most_common(10))


def _table(
    title: str, heads: Sequence[str], counts: Mapping[tuple[str, ...], int]
) -> Iterator[str]:
    yield from ("", f"## {title}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|")
    for names, number in sorted(counts.items()):
        yield f"| {' | '.join(names)} | {number:,} |"
