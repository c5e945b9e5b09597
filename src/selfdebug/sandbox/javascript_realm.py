"""QuickJS realms: this package's JavaScript loaded into a fresh engine, driven job by job.

A realm is one side of the boundary, the candidate's or the judge's. It decides nothing; it starts
the engine, runs its pending jobs and turns a host's failure into a Python exception.

    python -m pytest tests/test_javascript_engine.py
"""

from __future__ import annotations

import importlib
import resource
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

Role = Literal["candidate", "judge"]

_quickjs: Any = importlib.import_module("_quickjs")  # not `quickjs`: that one starts a thread
_JSException: type[Exception] = _quickjs.JSException

# Lines of our own code are numbered from here on, so that a stack tells them from a program's.
_FIRST_LINE = 100_000
# node's default allows about 10,000 plain calls; this engine needs 1.7 kB of stack for each.
_STACK_BYTES = 20 << 20
_STACK_SPARE = 2 << 20
_NODE_ONLY = ("node_runner", "suite_lines", "suite_node", "suite_reporter")

_BOOT = """(function (modules) {
  'use strict';
  const cache = new Map();
  function load(name) {
    if (!cache.has(name)) {
      const module = { exports: {} };
      cache.set(name, module);
      modules[name](module, module.exports, load);
    }
    return cache.get(name).exports;
  }
  // The binding refuses long concatenations, which the engine keeps as ropes: a slice is flat.
  const slice = Function.prototype.call.bind(String.prototype.slice);
  const flat = (text) => (typeof text === 'string' ? slice(text, 0) : text);
  const callPython = globalThis.__selfdebug_request;
  const request = (text) => callPython(flat(text));
  delete globalThis.__selfdebug_request;
  return (role) => {
    const side = load('./quickjs.js')[role](request);
    return (operation, text) => flat(side(operation, text));
  };
})"""


class TimeUp(Exception):
    """The program's CPU time is over."""


class Realm:
    """One engine with one side loaded."""

    def __init__(self, role: Role) -> None:
        self.on_request: Callable[[str], str] = _nobody
        self._context: Any = _quickjs.Context()
        self._context.set_max_stack_size(stack_size())
        self._context.add_callable("__selfdebug_request", self._ask)
        self._call: Any = self._context.eval(program())(role)
        self._deadline = float("inf")

    def _ask(self, text: str) -> str:
        return self.on_request(text)

    def limit(self, memory_bytes: int) -> None:
        """Cap the engine's memory."""
        self._context.set_memory_limit(memory_bytes)

    def begin(self, cpu_seconds: float | None) -> None:
        """Start a request: it may use so much CPU time; None while it may call back into Python.

        The engine refuses to call Python under a time limit: then the process's own timer rules.
        """
        seconds = float("inf") if cpu_seconds is None else cpu_seconds
        self._deadline = time.process_time() + seconds
        self._context.set_time_limit(-1 if cpu_seconds is None else seconds)

    def call(self, operation: str, text: str = "") -> str | None:
        """Call an operation of the side; None when its answer has to be polled for."""
        try:
            return self._call(operation, text)
        except _JSException as error:
            raise _translated(error) from None

    def settle(self) -> str:
        """Run jobs and timers until the open request has its answer."""
        while True:
            self.run_jobs()
            answer = self.call("poll")
            if answer:
                return answer

    def run_jobs(self) -> None:
        """Run what promises have queued."""
        try:
            while self._context.execute_pending_job():
                if time.process_time() > self._deadline:
                    raise TimeUp
        except _JSException as error:
            raise _translated(error) from None


class EngineError(Exception):
    """An exception that left our own JavaScript: memory is out, or a program broke its realm."""


def _translated(error: Exception) -> Exception:
    message = str(error).strip().partition("\n")[0]
    return TimeUp() if message == "InternalError: interrupted" else EngineError(message)


def _nobody(_text: str) -> str:
    raise RuntimeError("nobody answers this realm")


def safe(text: str) -> str:
    """Return a text that the engine takes: without lone surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


@cache
def program() -> str:
    """All modules as one expression: the function that starts a side."""
    folder = Path(__file__).parent / "js"
    paths = [path for path in sorted(folder.glob("*.js")) if path.stem not in _NODE_ONLY]
    head = "function (module, exports, require)"
    modules = [f"'./{path.name}': {head} {{{path.read_text()}\n}}" for path in paths]
    return "\n" * _FIRST_LINE + f"{_BOOT}({{{','.join(modules)}}})"


@cache
def stack_size() -> int:
    """As much stack as node gives, as far as this process may have it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = _STACK_BYTES + _STACK_SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
    return _STACK_BYTES if soft == resource.RLIM_INFINITY else soft - _STACK_SPARE
