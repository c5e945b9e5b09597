"""The pytest plugin: explains failing tests and shows what would mend the project.

pytest loads this file in every run where selfdebug is installed; so it imports nothing of ours,
and without its flags it adds its options and does nothing else (see `pytest_run.py` for the rest).

    pytest --selfdebug
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("selfdebug", "selfdebug: explain failing tests and mend the project")
    group.addoption(
        "--selfdebug",
        action="store_true",
        help="Explain each failing test and show what would mend it; write nothing.",
    )
    group.addoption(
        "--selfdebug-apply",
        action="store_true",
        help="Also write the mended files; never a test file.",
    )
    group.addoption(
        "--selfdebug-force",
        action="store_true",
        help="With --selfdebug-apply: write even over uncommitted changes.",
    )
    group.addoption(
        "--selfdebug-backend",
        default="search",
        metavar="NAME",
        help="Who writes the repairs: see `selfdebug ls backends`. Default: search.",
    )
    group.addoption(
        "--selfdebug-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="Of the backend; repeatable.",
    )
    group.addoption(
        "--selfdebug-seconds",
        type=float,
        default=60.0,
        metavar="N",
        help="Time to look for the repair of one failing test. Default: 60.",
    )
    group.addoption(
        "--selfdebug-total-seconds",
        type=float,
        default=600.0,
        metavar="N",
        help="Time to look for all repairs. Default: 600.",
    )
    group.addoption(
        "--selfdebug-sarif",
        metavar="FILE",
        help="Also write SARIF 2.1.0 with the repairs as fixes.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start to watch the run, where a flag asks for it."""
    flags = ("selfdebug", "selfdebug_apply", "selfdebug_sarif")
    if any(config.getoption(name) for name in flags):
        from selfdebug.interfaces.pytest_run import Watching

        config.pluginmanager.register(Watching(config), "selfdebug-watching")
