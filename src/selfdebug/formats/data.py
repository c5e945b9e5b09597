"""Where a data set's rows come from: a local folder, or the Hugging Face hub.

Local files win, because they are pinned; the hub is read only when it is asked for by name. This
file knows nothing about what a row means, and it downloads nothing by itself.

    python -c "from selfdebug.formats.data import folders; print(folders())"
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from selfdebug.types import SelfdebugError

Row = dict[str, Any]
HUB = "hub"  # as a `source`: read the rows from the Hugging Face hub


@dataclass(frozen=True, slots=True)
class DataSet:
    """Where one data set is: a file below the data folder, and its place on the hub."""

    file: str  # "humaneval/HumanEval.jsonl.gz"
    url: str  # where a person gets that file
    columns: tuple[str, ...]  # what every row must have
    hub: str = ""  # "openai/openai_humaneval"; "" when it is not on the hub
    config: str = ""
    split: str = "test"  # the hub's name of the split


def folders() -> list[Path]:
    """Return the folders that may hold data sets: $SELFDEBUG_DATA, or ../shared/data."""
    if chosen := os.environ.get("SELFDEBUG_DATA"):
        return [Path(chosen)]
    checkout = Path(__file__).resolve().parents[3]
    return [Path("../shared/data"), checkout.parent / "shared" / "data"]


def present(data: DataSet, source: str = "") -> bool:
    """Say whether the data set's file is on this machine."""
    return find(data, source) is not None


def rows(data: DataSet, source: str = "") -> Iterator[Row]:
    """Yield the rows of a data set; `source` is a folder, "hub", or "" for the usual folders."""
    found = _hub_rows(data) if source == HUB else _local_rows(data, source)
    for number, row in enumerate(found, start=1):
        missing = [name for name in data.columns if name not in row]
        if missing:
            where = data.hub if source == HUB else data.file
            raise SelfdebugError(f"{where}, row {number}: no column {missing[0]!r}")
        yield row


def check_split(name: str, split: str, splits: tuple[str, ...]) -> None:
    """Refuse a split that the data set does not have."""
    if split not in splits:
        raise SelfdebugError(f"{name} has no split {split!r}; it has: {', '.join(splits)}")


def find(data: DataSet, source: str = "") -> Path | None:
    """Return the data set's file on this machine, or None."""
    places = [Path(source)] if source else folders()
    return next((p / data.file for p in places if (p / data.file).is_file()), None)


def _local_rows(data: DataSet, source: str) -> Iterable[Row]:
    path = find(data, source)
    if path is None:
        looked = source or " or ".join(str(folder) for folder in folders())
        raise SelfdebugError(
            f"no {data.file} in {looked}: get it from {data.url} and set $SELFDEBUG_DATA to the "
            f"folder that holds {data.file.split('/')[0]}/"
        )
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    if path.suffix == ".json":
        return json.loads(content)
    return (json.loads(line) for line in content.splitlines() if line.strip())


def _hub_rows(data: DataSet) -> Iterable[Row]:
    if not data.hub:
        raise SelfdebugError(f"{data.file} is not on the Hugging Face hub; get it from {data.url}")
    try:
        load = import_module("datasets").load_dataset
    except ImportError:
        raise SelfdebugError(
            f"reading {data.hub} from the hub needs: pip install 'selfdebug[data]'"
        ) from None
    where = {"path": data.hub, "name": data.config or None, "split": data.split}
    try:
        try:
            return load(**where)
        except RuntimeError:  # a data set that is still a script: the hub keeps a parquet copy
            return load(**where, revision="refs/convert/parquet")
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise SelfdebugError(
            f"cannot read {data.hub} from the Hugging Face hub ({reason}); "
            f"the file is also at {data.url}"
        ) from error
