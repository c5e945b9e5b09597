"""selfdebug: train small code models to debug their own code, and use them on your own machine.

Importing this package is cheap: it loads no torch and, until a name is used, nothing else of ours.

    python -c "import selfdebug; print(selfdebug.__version__)"
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Sandbox": "sandbox",
    "Store": "store",
    **dict.fromkeys(("Completion", "Episode", "Limits", "Repair", "Request"), "types"),
    **dict.fromkeys(("Sampling", "SelfdebugError", "Task", "Test"), "types"),
    **dict.fromkeys(("TestResult", "Verdict"), "types"),
}

__all__ = [*_HOME, "__version__"]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from selfdebug.sandbox import Sandbox as Sandbox
    from selfdebug.store import Store as Store
    from selfdebug.types import Completion as Completion
    from selfdebug.types import Episode as Episode
    from selfdebug.types import Limits as Limits
    from selfdebug.types import Repair as Repair
    from selfdebug.types import Request as Request
    from selfdebug.types import Sampling as Sampling
    from selfdebug.types import SelfdebugError as SelfdebugError
    from selfdebug.types import Task as Task
    from selfdebug.types import Test as Test
    from selfdebug.types import TestResult as TestResult
    from selfdebug.types import Verdict as Verdict


# Here, because whoever imports selfdebug then is held, whichever way it was started.
if os.environ.get("SELFDEBUG_OFFLINE"):
    from selfdebug import offline

    if offline.wanted():
        offline.forbid()


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"selfdebug.{_HOME[name]}"), name)
    raise AttributeError(f"module 'selfdebug' has no attribute {name!r}")
