"""The sandbox: the only place where untrusted code runs.

Two rules carry it: values cross the boundary, never verdicts; refuse rather than guess. This file
only names what other modules may use. It imports lazily, because the judge and the zygote, which
live in processes of their own, import this package too and need none of it.

    selfdebug doctor
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {"Sandbox": "supervisor", "SandboxError": "supervisor"}

__all__ = ["Sandbox", "SandboxError"]

if TYPE_CHECKING:
    from selfdebug.sandbox.supervisor import Sandbox as Sandbox
    from selfdebug.sandbox.supervisor import SandboxError as SandboxError


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"selfdebug.sandbox.{_HOME[name]}"), name)
    raise AttributeError(f"module 'selfdebug.sandbox' has no attribute {name!r}")
