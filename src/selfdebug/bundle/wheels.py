"""The wheels of a bundle: selfdebug's own, repacked from where it runs, and pip's for the rest.

The own wheel holds the files of the package that is running and the metadata that it was installed
with, so it is the same from a checkout and from site-packages, and needs no build tool. Wheels are
installed by hash, so one that is added or changed afterwards is refused by pip.

    selfdebug bundle selfdebug-bundle --extra train
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from selfdebug import store
from selfdebug.types import SelfdebugError

FOLDER = "wheels"
_METADATA = ("METADATA", "WHEEL", "entry_points.txt")
_TIME = (2020, 1, 1, 0, 0, 0)  # in every entry: the same files make the same wheel


def fetch(folder: Path, extras: tuple[str, ...], python: str, platform: str) -> None:
    """Put selfdebug's wheel and all that it and the extras need into `folder`/wheels.

    Only wheels are taken for another Python or platform; for this one pip builds what has none.
    """
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for path in target.iterdir():
        if not zipfile.is_zipfile(path):  # torn, when an earlier run was killed
            path.unlink()
    wheel = own(target)
    if unknown := set(extras) - set(_provided()):
        raise SelfdebugError(f"no extra {min(unknown)!r}: there are {', '.join(_provided())}")
    wanted = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
    options = ["--only-binary=:all:"] if python or platform else []
    options += ["--python-version", python] if python else []
    options += ["--platform", platform] if platform else []
    words = ["download", "--dest"] if options else ["wheel", "--wheel-dir"]
    _pip(*words, str(target), *options, wanted)


def own(target: Path) -> Path:
    """Write selfdebug's own wheel, from the package that runs and its installed metadata."""
    name, version = "selfdebug", _distribution().version
    info = f"{name}-{version}.dist-info"
    path = target / f"{name}-{version}-py3-none-any.whl"
    files = [*_package(), *_metadata(info)]
    rows = [f"{where},sha256={_hash(data)},{len(data)}" for where, data in files]
    record = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    with store.replacing(path) as draft, zipfile.ZipFile(draft, "w") as archive:
        for where, data in [*files, (f"{info}/RECORD", record)]:
            entry = zipfile.ZipInfo(where, _TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return path


def requirements(folder: Path) -> str:
    """Return the lines that pin every wheel by name, version and hash, for pip to install."""
    seen: dict[str, str] = {}
    lines: list[str] = []
    for path in sorted((folder / FOLDER).glob("*.whl")):
        name, version = path.name.split("-")[:2]
        if name.lower() in seen:
            raise SelfdebugError(
                f"{folder / FOLDER} holds {seen[name.lower()]} and {path.name}: delete the folder "
                "and give the command again"
            )
        seen[name.lower()] = path.name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
    return "".join(lines)


def this_python() -> str:
    """Return the version of this Python as pip's --python-version takes it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _distribution() -> Distribution:
    try:
        return distribution("selfdebug")
    except PackageNotFoundError:
        raise SelfdebugError("selfdebug is not installed here: pip install . first") from None


def _provided() -> list[str]:
    return sorted(_distribution().metadata.get_all("Provides-Extra") or [])


def _package() -> Iterator[tuple[str, bytes]]:
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*")):
        where = path.relative_to(root.parent)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in where.parts)
        if path.is_file() and not hidden and path.suffix != ".pyc":
            yield where.as_posix(), path.read_bytes()


def _metadata(info: str) -> Iterator[tuple[str, bytes]]:
    for name in _METADATA:
        text = _distribution().read_text(name)
        if text is not None:
            yield f"{info}/{name}", text.encode()


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _pip(*words: str) -> None:
    """Run pip, which tells its progress itself; its last line says why it failed."""
    command = [sys.executable, "-m", "pip", *words]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        why = next((line for line in said if "ERROR" in line), "it says nothing")
        raise SelfdebugError(f"pip {words[0]} failed: {why}")
