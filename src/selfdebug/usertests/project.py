"""Where a user's file and tests live: the project's root, import paths, interpreters, what is read.

It looks at names and modes of files only. It runs nothing and writes nothing but, where the
sandbox's unprivileged user could not read root's own files, a copy of the project for it.

    selfdebug fix calc.py --tests tests/
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from selfdebug.types import SelfdebugError

_MARKS = (
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "pytest.ini",
    "tox.ini",
    "package.json",
    ".git",
)
# Neither source nor tests, and often large; a copy does without them.
_LEFT_OUT = {".git", "__pycache__", ".venv", "venv", ".tox", ".pytest_cache", ".mypy_cache"}
MAX_COPY_BYTES = 256 << 20
_TOO_LARGE = (
    "the sandbox needs a copy of {}, which is over {} MiB, too large for one; where only its "
    "modes are in the way: chmod -R o+rX it, or run selfdebug as an ordinary user"
)


@dataclass(frozen=True, slots=True)
class Project:
    """A user's project. root: where it is; shown: where the sandbox sees it (often the same)."""

    root: Path
    shown: Path

    def inside(self, path: Path) -> str:
        """Return the path as the sandbox sees it."""
        path = path.resolve()
        return str(self.shown / path.relative_to(self.root) if self.holds(path) else path)

    def holds(self, path: Path) -> bool:
        """Tell whether a path lies in the project."""
        return path.resolve().is_relative_to(self.root)

    def name(self, path: Path) -> str:
        """Return the path relative to the root, as tests are called by."""
        return path.resolve().relative_to(self.root).as_posix()


@contextmanager
def opened(
    file: Path, tests: Path, changed: Mapping[Path, str] | None = None
) -> Generator[Project]:
    """Find the project of a file and its tests, readable for the sandbox while this is open.

    changed: other texts for some of its files, which the sandbox then sees in a copy.
    """
    file, tests = file.resolve(), tests.resolve()
    root = _root(file, tests)
    everybodys = not any(_own(root))
    readable = os.geteuid() != 0 or _others_may_read(root)
    if not everybodys and not changed and readable:
        yield Project(root, root)
        return
    copy = Path(tempfile.mkdtemp(prefix="selfdebug-project-")).resolve()
    try:
        if everybodys:  # a home folder, say: the sandbox sees what lies beside the two, no more
            for folder in {file.parent, tests if tests.is_dir() else tests.parent}:
                _copy(root, copy, folder, deep=any(_own(folder)))
        else:
            _copy(root, copy, root)
        project = Project(root, copy)
        for path, text in (changed or {}).items():
            Path(project.inside(path)).write_text(text, encoding="utf-8")
        yield project
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def root_of(file: Path, tests: Path) -> Path:
    """Return the root of the project of a file and its tests: what the sandbox may read."""
    return _root(file.resolve(), tests.resolve())


def _root(file: Path, tests: Path) -> Path:
    folders = (str(file.parent), str(tests if tests.is_dir() else tests.parent))
    common = Path(os.path.commonpath(folders))
    return next((folder for folder in _own(common) if _is_root(folder)), common)


def around(file: Path) -> list[Path]:
    """Return the folders whose tests may be those of a file: its own, up to the project's root."""
    own = list(_own(file.resolve().parent))
    depth = next((i for i, above in enumerate(own) if _is_root(above)), 1)
    return own[: depth + 1] or [file.resolve().parent]


def _is_root(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in _MARKS)


def _own(folder: Path) -> Iterator[Path]:
    """Yield a folder and those above it, as far as they are not everybody's."""
    temporary = {Path("/tmp"), Path(tempfile.gettempdir()).resolve()}
    shared = (Path.home(), *temporary, Path(folder.anchor))
    for above in (folder, *folder.parents):
        if above in shared:
            return
        yield above


def _others_may_read(root: Path) -> bool:
    """Tell whether the unprivileged user that a root user's sandbox becomes can read it all."""
    if any(not parent.stat().st_mode & stat.S_IXOTH for parent in root.parents):
        return False
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        mode = os.stat(folder).st_mode
        if not (mode & stat.S_IXOTH and mode & stat.S_IROTH):
            return False
        for name in files:
            if not os.lstat(os.path.join(folder, name)).st_mode & stat.S_IROTH:
                return False
    return True


def _copy(root: Path, copy: Path, top: Path, *, deep: bool = True) -> None:
    """Copy a folder of the project to its place in the copy, for everybody to read."""
    size = 0
    copy.chmod(0o755)
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if deep and name not in _LEFT_OUT]
        target = copy / os.path.relpath(folder, root)
        target.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in (*files, *folders):
            path = os.path.join(folder, name)
            if os.path.islink(path):
                (target / name).symlink_to(os.readlink(path))
            elif os.path.isfile(path) and (deep or _is_small(name, path)):
                size += os.lstat(path).st_size
                if size > MAX_COPY_BYTES:
                    raise SelfdebugError(_TOO_LARGE.format(top, MAX_COPY_BYTES >> 20))
                shutil.copyfile(path, target / name)
                (target / name).chmod(0o755)


def _is_small(name: str, path: str) -> bool:
    return not name.startswith(".") and os.lstat(path).st_size < 1 << 20


def package_root(file: Path) -> Path:
    """Return the folder that a module's package, or the module itself, is imported from."""
    folder = file.resolve().parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def module_name(file: Path) -> str:
    """Return the dotted name that a file is imported by."""
    parts = file.resolve().relative_to(package_root(file)).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def python_path(project: Project, file: Path, tests: Path) -> list[str]:
    """Return what goes before the standard library: where scripts and layouts import from."""
    folder = tests if tests.is_dir() else tests.parent
    wanted = [folder, package_root(file), project.root / "src", project.root]
    return list(dict.fromkeys(project.inside(path) for path in wanted if path.is_dir()))


def packages(project: Project) -> list[str]:
    """Return the folders of installed packages: the project's own environment, then ours."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    environments = [project.root / ".venv", project.root / "venv"]
    if "VIRTUAL_ENV" in os.environ:
        environments.insert(0, Path(os.environ["VIRTUAL_ENV"]))
    found = [str(folder / "lib" / version / "site-packages") for folder in environments]
    standard = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    standard |= {path for path in sys.path if path.endswith("lib-dynload")}
    found += [path for path in sys.path if path and path not in standard]
    return list(dict.fromkeys(path for path in found if os.path.isdir(path)))


def need_pytest(paths: list[str]) -> None:
    """Raise SelfdebugError when pytest is nowhere among the packages."""
    if PathFinder.find_spec("pytest", paths) is None:
        command = f"{sys.executable} -m pip install pytest"
        raise SelfdebugError(f"these tests need pytest, which is not installed: {command}")


def find_node() -> str:
    """Return node's path, or raise SelfdebugError."""
    node = shutil.which("node")
    if node is None:
        raise SelfdebugError("these tests need node, which is not on the PATH: see nodejs.org")
    return os.path.realpath(node)


def node_reads(project: Project) -> list[str]:
    """Return what node reads besides the project: packages of the folders around it."""
    around = (folder / "node_modules" for folder in project.root.parents)
    return [str(folder) for folder in around if folder.is_dir()]
