"""A plugin is found by the name of its file; a wrong name is one clear line."""

from pathlib import Path

import pytest

from selfdebug import plugins
from selfdebug.types import SelfdebugError


def test_a_file_and_a_package_of_the_folder_are_plugins() -> None:
    names = plugins.names("benchmarks")
    assert "humaneval" in names
    assert "demo" in names  # a package
    assert "__init__" not in names
    assert names == sorted(names)


def test_the_name_of_the_file_loads_it() -> None:
    assert plugins.load("benchmarks", "jsonl").__name__ == "selfdebug.benchmarks.jsonl"


def test_an_unknown_name_is_answered_with_the_near_ones() -> None:
    with pytest.raises(SelfdebugError, match=r"no plugin 'humanevl'.*did you mean humaneval"):
        plugins.load("benchmarks", "humanevl")


def test_a_name_near_to_none_is_answered_with_all() -> None:
    with pytest.raises(SelfdebugError, match=r"there are: .*humaneval.*mbpp"):
        plugins.load("benchmarks", "zzzzzz")


def test_a_user_file_loads_by_its_path_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("VALUE = 7\n")
    module = plugins.load("benchmarks", str(file))
    assert module.VALUE == 7
    assert plugins.load("benchmarks", str(file)) is module


def test_files_of_one_name_in_two_folders_are_two_plugins(tmp_path: Path) -> None:
    for folder, value in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"VALUE = {value}\n")
    loaded = [plugins.load("mutators", str(tmp_path / f / "mine.py")).VALUE for f in "ab"]
    assert loaded == [1, 2]


def test_a_missing_file_and_a_broken_file_are_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(SelfdebugError, match="no such plugin file"):
        plugins.load("mutators", str(tmp_path / "absent.py"))
    broken = tmp_path / "broken.py"
    broken.write_text("x = 1\ndef f(:\n")
    with pytest.raises(SelfdebugError, match=r"broken\.py, line 2"):
        plugins.load("mutators", str(broken))
