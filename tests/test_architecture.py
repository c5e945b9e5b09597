"""The architecture, held by reading the source: who imports whom, who prints, who writes files.

Imports are read by `ast`, wherever in a file they stand, so a lazy import counts like any other.

    pytest tests/test_architecture.py
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "selfdebug"

# Left never imports right, and neighbours within one rank never import each other.
RANKS = [
    "types models",
    "encoding",
    "store prompts stats plugins config sourcefile",
    "attempts balance",
    "languages",
    "formats",
    "sandbox",
    "offline",
    "benchmarks mutators usertests",
    "splits explanations planting",
    "backends",
    "feedback rewards modelfolder ranks cluster",
    "debug summary explained",
    "inject stages dataset harvest evaluate compare sft rl bundle publish",
    "report",
    "interfaces",
    "cli",
    "__main__",
]
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names.split()}
PLUGIN_FOLDERS = ("languages", "benchmarks", "mutators", "backends", "rewards")
# Trainers and the local backend; every other file must work on a machine without torch.
MAY_IMPORT_TORCH = {"sft", "rl", "backends/transformers", "rewards/explanation"}
# The sandbox writes inside its own private folders, `sourcefile` a user's file on `fix --apply`,
# `usertests/project` a copy of the user's project.
MAY_WRITE_FILES = {
    *(
        "store",
        "report",
        "sandbox",
        "sourcefile",
        "usertests/project",
        "sft",
        "rl",
        "bundle",
        "publish",
    )
}
CORE_DEPENDENCIES = {
    "_quickjs",
    "rich",
    "tree_sitter",
    "tree_sitter_javascript",
    "typer",
}
# Only pytest itself imports these, so it is there.
LOADED_BY_PYTEST = {"interfaces/pytest_plugin", "interfaces/pytest_run"}
# Only what needs an extra anyway imports these: no other file of the package imports it.
EXTRAS = {"interfaces/lsp": {"lsprotocol", "pygls"}}
COMMAND = re.compile(r"^ *(python|selfdebug|pytest|make|pyright|node|bash) \S+", re.M)


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "demo" not in path.parts)


def name_of(path: Path) -> str:
    """`sandbox/wire` for src/selfdebug/sandbox/wire.py; a package goes by its folder."""
    relative = path.relative_to(PACKAGE).with_suffix("")
    return (relative.parent if relative.name == "__init__" else relative).as_posix()


def top_of(path: Path) -> str:
    return name_of(path).split("/")[0]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls(path: Path) -> Iterator[ast.Call]:
    return (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_module_has_a_place_in_the_order() -> None:
    assert not {top_of(path) for path in modules()} - set(RANK) - {"."}


def test_left_never_imports_right() -> None:
    wrong = [
        f"{at(path, line)} imports {name}"
        for path in modules()
        if (top := top_of(path)) in RANK
        for line, name in imports(path)
        if name.startswith("selfdebug.")
        if (other := name.split(".")[1]) in RANK and other != top
        if RANK[other] >= RANK[top]
    ]
    assert not wrong


@pytest.mark.parametrize("folder", PLUGIN_FOLDERS)
def test_plugins_of_one_folder_never_import_each_other(folder: str) -> None:
    wrong = [
        f"{at(path, line)} imports {name}"
        for path in modules()
        if name_of(path).startswith(f"{folder}/")
        for line, name in imports(path)
        if name.startswith(f"selfdebug.{folder}.")
        if name.split(".")[2] not in {own := name_of(path).split("/")[1], f"{own}_edit"}
    ]
    assert not wrong


def test_the_sandbox_stands_alone() -> None:
    """Its files run in bare processes (`python -S`), where nothing else of ours is wanted.

    The supervisor alone lives with the rest: it has JavaScript programs report what they run.
    """
    wrong = [
        f"{at(path, line)} imports {name}"
        for path in modules()
        if top_of(path) == "sandbox" and path.stem != "supervisor"
        for line, name in imports(path)
        if not name.startswith(("selfdebug.sandbox", "selfdebug.types", "_quickjs"))
        if name.split(".")[0] not in sys.stdlib_module_names
    ]
    assert not wrong


def test_only_cli_prints() -> None:
    wrong = [
        at(path, call.lineno)
        for path in modules()
        if top_of(path) != "cli"
        for call in calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]
    assert not wrong


def writes(call: ast.Call) -> bool:
    """Does this call write a file? `open` with a writing mode, or Path.write_text/write_bytes."""
    is_method = isinstance(call.func, ast.Attribute)
    name = call.func.attr if is_method else getattr(call.func, "id", "")
    if name in {"write_text", "write_bytes"}:
        return is_method
    if name not in {"open", "FileIO"}:
        return False
    first = 0 if is_method else 1  # path.open(mode), open(path, mode)
    modes = [*call.args[first : first + 1], *(k.value for k in call.keywords if k.arg == "mode")]
    return any(isinstance(m, ast.Constant) and set(str(m.value)) & set("wax+") for m in modes)


def test_a_verb_is_short() -> None:
    """It reads its options, calls the work and says what came of it; the work is elsewhere."""
    source = (PACKAGE / "cli" / "verbs.py").read_text()
    lines = source.splitlines()
    verbs = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert len(verbs) >= 6
    for verb in verbs:
        assert ast.get_docstring(verb)
        body = lines[verb.body[1].lineno - 1 : verb.end_lineno]
        assert sum(bool(line.strip()) for line in body) <= 15, verb.name


def test_only_the_named_modules_write_files() -> None:
    wrong = [
        at(path, call.lineno)
        for path in modules()
        if not {name_of(path), top_of(path)} & MAY_WRITE_FILES
        for call in calls(path)
        if writes(call)
    ]
    assert not wrong


def test_torch_stays_where_it_is_needed() -> None:
    wrong = [
        at(path, line)
        for path in modules()
        if not any(f"{name_of(path)}/".startswith(f"{name}/") for name in MAY_IMPORT_TORCH)
        for line, name in imports(path)
        if name.split(".")[0] in {"torch", "trl", "peft", "accelerate"}
    ]
    assert not wrong


def test_what_is_not_in_the_core_install_is_imported_inside_functions() -> None:
    known = {*CORE_DEPENDENCIES, *sys.stdlib_module_names, "selfdebug"}
    wrong = [
        f"{at(path, node.lineno)} imports {name}"
        for path in modules()
        if name_of(path) not in LOADED_BY_PYTEST
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
        if (top := name.split(".")[0]) not in known
        if not any(top in names for part, names in EXTRAS.items() if name_of(path).startswith(part))
    ]
    assert not wrong


def test_core_dependencies_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=]", text)[0].strip() for text in project["dependencies"]}
    imported = {"_quickjs": "quickjs-ng"}
    assert declared == {imported.get(n, n.replace("_", "-")) for n in CORE_DEPENDENCIES}


def test_no_drawer_for_leftovers() -> None:
    banned = {"utils", "util", "common", "helpers", "misc", "legacy", "base", "registry"}
    assert not [path for path in modules() if banned & set(path.with_suffix("").parts)]


def test_a_broad_except_says_why() -> None:
    """A fault of the harness must not read as a failed test, so each catch-all explains itself."""
    wrong: list[str] = []
    for path in modules():
        lines = path.read_text().splitlines()
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = "BaseException" if node.type is None else ast.unparse(node.type)
            if not re.search(r"\b(Base)?Exception\b", caught):
                continue
            if isinstance(last := node.body[-1], ast.Raise) and last.exc is None:
                continue  # it tidies up and hides nothing
            here = "\n".join(lines[node.lineno - 1 : node.lineno + 1])
            reason = re.sub(r"noqa: \w+|pyright: ignore\[\w+\]", "", here.partition("#")[2])
            if len(reason.split()) < 3:
                wrong.append(at(path, node.lineno))
    assert not wrong


def test_every_module_says_what_it_does_and_gives_one_command() -> None:
    wrong: list[str] = []
    for path in modules():
        tree = ast.parse(path.read_text())
        docstring = ast.get_docstring(tree) or ""
        # A package file that holds nothing but its sentence has no command to give.
        only_a_sentence = path.name == "__init__.py" and len(tree.body) == 1 and docstring
        if not (COMMAND.search(docstring) or only_a_sentence):
            wrong.append(at(path, 1))
    assert not wrong


def test_no_path_of_the_machine_it_was_written_on() -> None:
    private = re.compile("|".join(f"/{word}/" for word in ("work", "farm", "tmp/studio")))
    folders = (
        PACKAGE,
        *(ROOT / name for name in ("tests", "bench", "docs", "examples", "recipes", ".ci")),
    )
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    texts = [p for p in [*files, *ROOT.glob("*.*")] if p.suffix in TEXT_SUFFIXES]
    assert texts
    assert not [str(path) for path in texts if private.search(path.read_text())]


TEXT_SUFFIXES = {".py", ".js", ".mjs", ".md", ".toml", ".txt", ".json", ".jsonl", ".sh", ".html"}


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    script = f"import sys\n{statement}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stderr.split())


HEAVY = {"torch", "numpy", "tree_sitter", "rich", "pydantic", "asyncio", "openai"}


def test_import_selfdebug_loads_nothing_heavy() -> None:
    loaded = loaded_by("import selfdebug")
    assert "selfdebug" in loaded
    assert not HEAVY & loaded
    assert {name for name in loaded if name.startswith("selfdebug.")} == set()


def test_help_is_quick_because_it_loads_little() -> None:
    """Counted, not timed: a module takes 0.3 to 1 ms, so 200 of them stay far under 0.3 s."""
    loaded = loaded_by(
        "from selfdebug.cli import main\nsys.argv = ['selfdebug', '--help']\n"
        "try: main()\nexcept SystemExit as stop: assert not stop.code"
    )
    assert not HEAVY & loaded
    assert len(loaded) < 200
