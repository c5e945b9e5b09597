"""Which lines of a project's files a test executes, seen by line events of its own process.

Python 3.12 and newer tell each line once (sys.monitoring); 3.11 calls a trace function. Where
somebody else traces already, such as a debugger or coverage on 3.11, nobody is disturbed and
nothing is seen.

    pytest --selfdebug
"""

from __future__ import annotations

import sys
import threading
import types
from collections import defaultdict
from collections.abc import Callable
from typing import Any

Lines = dict[str, list[int]]  # file name -> sorted lines
_TOOL = 4  # of sys.monitoring's six: not a debugger's, coverage's, profiler's or optimizer's


class Executed:
    """Records while started. wanted: tells whether a file name is one of the project's."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted = wanted
        self._known: dict[str, bool] = {}
        self._seen: defaultdict[str, set[int]] = defaultdict(set)
        self._on = False

    def start(self) -> None:
        """Begin anew, unless somebody else traces."""
        self._seen.clear()
        if sys.version_info >= (3, 12):
            self._on = sys.monitoring.get_tool(_TOOL) is None
            if self._on:
                self._monitor()
        else:
            self._on = sys.gettrace() is None
            if self._on:
                sys.settrace(self._trace)
                threading.settrace(self._trace)

    def stop(self) -> Lines:
        """Return what was executed since the start; the second time, nothing."""
        if self._on:
            self._on = False
            if sys.version_info >= (3, 12):
                sys.monitoring.set_events(_TOOL, 0)
                sys.monitoring.free_tool_id(_TOOL)
            elif sys.gettrace() == self._trace:  # a debugger may have taken over
                sys.settrace(None)
                threading.settrace(None)  # type: ignore[arg-type]
        found = {name: sorted(lines) for name, lines in self._seen.items()}
        self._seen.clear()
        return found

    def _is_wanted(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._wanted(name)
        return known

    def _trace(self, frame: types.FrameType, event: str, _arg: Any) -> Any:
        if not self._is_wanted(frame.f_code.co_filename):
            return None
        if event == "line":
            self._seen[frame.f_code.co_filename].add(frame.f_lineno)
        return self._trace

    def _monitor(self) -> None:
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - pyright reads 3.11's sys
        monitoring.use_tool_id(_TOOL, "selfdebug")

        def line(code: types.CodeType, number: int) -> Any:
            if self._is_wanted(code.co_filename):
                self._seen[code.co_filename].add(number)
            return monitoring.DISABLE  # once is enough

        monitoring.register_callback(_TOOL, monitoring.events.LINE, line)
        monitoring.set_events(_TOOL, monitoring.events.LINE)
        monitoring.restart_events()
