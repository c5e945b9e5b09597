"""The MCP server, asked by the SDK's own client over stdio: what it tells, what it never reads."""

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("mcp")
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    project = folder / "project"
    shutil.copytree(ROOT / "examples", project)
    (project / "pyproject.toml").touch()
    (project / "double.py").write_text("def double(x):\n    return x + 1\n")
    (project / "test_double.py").write_text("from double import double\n\nassert double(2) == 4\n")
    (folder / "outside.py").write_text("def f():\n    return 1\n")
    (project / "link.py").symlink_to(folder / "outside.py")
    return project


def asked(root, *calls):
    """The answers to (tool, arguments), in one session; an error is its text."""

    async def session():
        command = ["-m", "selfdebug", "mcp", "--root", str(root)]
        server = StdioServerParameters(command=sys.executable, args=command)
        async with Client(stdio_client(server)) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            answers = []
            for name, arguments in calls:
                found = await client.call_tool(name, arguments)
                text = found.content[0].text
                answers.append(text if found.is_error else found.structured_content)
            return tools, answers

    return asyncio.run(asyncio.wait_for(session(), 200))


def test_a_client_runs_tests_reads_why_they_fail_and_gets_a_repair(root):
    before = {path: path.read_bytes() for path in root.iterdir() if path.is_file()}
    named = {"file": "moving_average.py", "tests": "test_moving_average.py"}
    tools, (run, one, why, mended) = asked(
        root,
        ("run_tests", named),
        ("run_tests", {**named, "tests": "test_moving_average.py::test_two_neighbours"}),
        ("explain", {"file": "double.py"}),
        ("repair", {"file": "double.py", "tests": "test_double.py"}),
    )
    assert set(tools) == {"run_tests", "explain", "repair"}
    assert all(tool.annotations.read_only_hint for tool in tools.values())
    assert set(tools["repair"].input_schema["required"]) == {"file"}
    assert "1 of 3 tests pass" in run["summary"]
    assert [result["status"] for result in run["results"]].count("pass") == 1
    assert len(one["results"]) == 1
    assert "line 2" in why["explanation"].lower()
    assert len(why["failing"]) == 1
    assert "code" not in why
    assert mended["outcome"] == "fixed"
    assert "-    return x + 1" in mended["diff"]
    assert mended["code"] != before[root / "double.py"].decode()
    assert {path: path.read_bytes() for path in before} == before


def test_only_files_of_the_root_are_read_and_what_is_wrong_is_one_line(root):
    tests = {"tests": "test_moving_average.py"}
    _, errors = asked(
        root,
        ("run_tests", {"file": "../outside.py", **tests}),
        ("run_tests", {"file": str(root.parent / "outside.py"), **tests}),
        ("repair", {"file": "link.py", **tests}),
        ("explain", {"file": "moving_average.py", "tests": "../outside.py"}),
        ("repair", {"file": "nothing.py"}),
        ("repair", {"file": "a\0b.py"}),
        ("repair", {"file": "tasks.jsonl"}),
        ("repair", {}),
        ("run_tests", {"file": "moving_average.py", **tests}),
    )
    *outside, missing, null, kind, empty, good = errors
    assert all("outside of" in error for error in outside)
    assert all("outside.py\n" not in error and "return 1" not in error for error in outside)
    assert "there is no file" in missing
    assert "no path" in null
    assert "only .py" in kind
    assert "file" in empty
    assert good["passed"] is False, "it still answers"


def test_a_root_inside_a_project_does_not_open_the_rest_of_it(root):
    (root / "part").mkdir(exist_ok=True)
    shutil.copy(ROOT / "examples" / "moving_average.py", root / "part")
    shutil.copy(ROOT / "examples" / "test_moving_average.py", root / "part")
    _, (error,) = asked(root / "part", ("run_tests", {"file": "moving_average.py"}))
    assert "belongs to the project" in error
    json.dumps(error)


def test_a_root_that_is_not_there_is_one_line():
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "selfdebug", "mcp", "--root", "/no/such"],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert "there is no such folder" in done.stderr
