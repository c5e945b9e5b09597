"""A folder that installs selfdebug on a machine without a network: wheels, a model, data, hashes.

`make` fills it and `verify` compares it with its hashes. SHA256SUMS is written last: a folder
without it is not whole, is refused, and becomes whole when the same command is given again. Who
carries it across the gap compares one number, the digest of SHA256SUMS. It installs nothing; that
is the folder's own install.sh.

    selfdebug bundle selfdebug-bundle
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from selfdebug import benchmarks, config, store
from selfdebug.bundle import wheels
from selfdebug.formats.data import find
from selfdebug.types import SelfdebugError

SUMS, ASKED, REQUIREMENTS, INSTALLER = "SHA256SUMS", "bundle.toml", "requirements.txt", "install.sh"
MODELS, DATA = "models", "data"

Fetch = Callable[[Path, tuple[str, ...], str, str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What a bundle holds.

    extras: of selfdebug, such as train. models: folders. data: benchmarks, or files of tasks.
    python, platform: of the other machine, as pip names them ("3.12", "manylinux_2_28_x86_64");
    "" is this one's.
    """

    extras: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    python: str = ""
    platform: str = ""


def make(folder: Path, request: Request, fetch: Fetch = wheels.fetch) -> str:
    """Fill a folder and return the digest of its SHA256SUMS; whole already, it is only verified.

    Raises SelfdebugError for a folder that is something else, and for what cannot be found.
    """
    copies = dict(_copies(request))
    _claim(folder, request)
    if not (folder / SUMS).exists():
        fetch(folder, request.extras, request.python, request.platform)
        for target, source in copies.items():
            _copy(source, folder / target)
        store.write_text(folder / REQUIREMENTS, wheels.requirements(folder))
        installer = Path(__file__).with_name(INSTALLER).read_text(encoding="utf-8")
        python = request.python or wheels.this_python()
        store.write_text(folder / INSTALLER, installer.replace("@PYTHON@", python))
        sums = [f"{digest(folder / name)}  {name}" for name in _files(folder)]
        store.write_lines(folder / SUMS, sums)  # last: now it is whole
    if faults := verify(folder):
        raise SelfdebugError(f"{folder} is damaged: {faults[0]}; delete it and make it again")
    return digest(folder / SUMS)


def verify(folder: Path) -> list[str]:
    """Return what differs from the bundle's hashes: changed, missing and added files."""
    path = folder / SUMS
    if not path.is_file():
        half = (folder / ASKED).is_file()
        more = "is half-written: give the command that began it again" if half else "is no bundle"
        raise SelfdebugError(f"{folder} {more}: there is no {SUMS} in it")
    listed: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        found, _, name = line.partition("  ")
        listed[name] = found
    there = set(_files(folder))
    faults = [f"{name} is missing" for name in sorted(listed.keys() - there)]
    faults += [f"{name} was added" for name in sorted(there - listed.keys())]
    same = sorted(there & listed.keys())
    return faults + [f"{n} was changed" for n in same if digest(folder / n) != listed[n]]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, as `sha256sum` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _claim(folder: Path, request: Request) -> None:
    """Begin a bundle or go on with the same one; refuse a folder that is something else."""
    path = folder / ASKED
    versions = config.describe()["versions"]
    text = config.to_toml({"bundle": config.as_table(request), "versions": versions})
    if path.is_file():
        if path.read_text(encoding="utf-8") != text:
            raise SelfdebugError(
                f"{folder} was begun with other options or versions ({ASKED} says which): "
                "name another folder"
            )
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SelfdebugError(f"{folder} is there and is no bundle: name another folder")
    store.write_text(path, text)


def _copies(request: Request) -> Iterator[tuple[str, Path]]:
    """Yield what is copied: the place in the bundle, and where it is now."""
    for name in request.models:
        source = Path(name)
        if (
            not (source / "config.json").is_file()
            and not (source / "adapter_config.json").is_file()
        ):
            raise SelfdebugError(f"{name} is not the folder of a model: no config.json in it")
        yield f"{MODELS}/{source.resolve().name}", source
    for name in request.data:
        if name.endswith(".jsonl"):
            if not Path(name).is_file():
                raise SelfdebugError(f"there is no file {name}")
            yield f"{DATA}/{Path(name).name}", Path(name)
            continue
        for part in benchmarks.resolve(name)[0].DATA:
            found = find(part)
            if found is None:
                raise SelfdebugError(f"no {part.file} on this machine: get it from {part.url}")
            yield f"{DATA}/{part.file}", found


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; what an interrupted run left is written again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def _files(folder: Path) -> list[str]:
    """Return every file but SHA256SUMS itself, by its path in the bundle."""
    names = (
        Path(root, name).relative_to(folder).as_posix()
        for root, _, found in os.walk(folder)
        for name in found
    )
    return sorted(name for name in names if name != SUMS)
