"""What a run of a user's tests showed: the noun that the plugin and the readers of reports fill.

Data alone: no pytest, no repair, no file.

    pytest --selfdebug
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """One test that ran, or one test file that could not be collected.

    id: as its runner names it. file: the test's own, absolute. message: what it failed with.
    line: of the test file, where it failed; 0: unknown. frames: files of the traceback, the
    innermost first. lines: what it executed of the project's files; {} when nobody watched.
    """

    id: str
    file: Path
    passed: bool
    message: str = ""
    line: int = 0
    frames: tuple[Path, ...] = ()
    lines: Mapping[Path, frozenset[int]] = field(default_factory=dict[Path, frozenset[int]])

    @property
    def node(self) -> str:
        """The id with the whole path of the file in front."""
        return str(self.file) + "".join(self.id.partition("::")[1:])

    @property
    def expected_to_fail(self) -> bool:
        """Whether it failed only because it passed: nothing is wrong with the program."""
        return self.message.startswith("[XPASS(strict)]")
