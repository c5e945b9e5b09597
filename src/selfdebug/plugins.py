"""A plugin is one file in one folder, and its name is the file's name: find and load them.

There is nothing to register: the file is there, so the plugin is. A package in the folder counts
too, and a path such as `./mine.py` loads a user's own file. What a plugin must offer is said by
its folder (`types.Mutator`, `types.Backend`, ...) and held by the contract tests, not here.

    python -c "from selfdebug import plugins; print(plugins.names('benchmarks'))"
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from selfdebug.types import SelfdebugError


def names(folder: str) -> list[str]:
    """Return the names of the plugins in `selfdebug/<folder>/`, sorted."""
    root = Path(__file__).parent / folder
    files = [path.stem for path in root.glob("*.py")]
    packages = [path.parent.name for path in root.glob("*/__init__.py")]
    return sorted(name for name in files + packages if not name.startswith("_"))


def load(folder: str, name: str) -> ModuleType:
    """Import the plugin `name` of `folder`, or the user's own file when `name` is a path."""
    if name.endswith(".py"):
        return _load_file(Path(name))
    known = names(folder)
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}"
        raise SelfdebugError(f"no plugin {name!r} in {folder}: {hint}")
    return importlib.import_module(f"selfdebug.{folder}.{name}")


def _load_file(path: Path) -> ModuleType:
    """Import a file by its path, once a process: dataclasses and pickles need one module."""
    if not path.is_file():
        raise SelfdebugError(f"no such plugin file: {path}")
    # Two files of the same name in two folders are two modules.
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    module_name = f"selfdebug_user_{path.stem}_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise SelfdebugError(f"Python cannot import {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[module_name]
        raise SelfdebugError(f"{path}, line {error.lineno}: {error.msg}") from error
    except BaseException:
        del sys.modules[module_name]
        raise
    return module
