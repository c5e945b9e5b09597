"""A user's own tasks, one JSON object a line; docs/tasks.md describes the fields.

Every way in which a line can be wrong is one clear sentence with the line's number. Nothing of a
task is executed here; Python and JavaScript are only parsed.

    selfdebug run program.py --tests tasks.jsonl
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, cast

from selfdebug.formats.data import check_split
from selfdebug.formats.javascript_checks import error_line
from selfdebug.sandbox.wire import encode
from selfdebug.types import Language, SelfdebugError, Task, Test, TestKind

LICENSE = ""  # each task says its own
SPLITS = ("all",)
EVALUATION_ONLY: tuple[str, ...] = ()
DATA = ()

_LANGUAGES: tuple[Language, ...] = ("python", "javascript")
_TEXTS = ("prompt", "prelude", "reference", "broken", "bug_kind", "source", "license")
_FIELDS = ("id", "language", "entry_point", "tests", *_TEXTS)
_FORMS: dict[TestKind, tuple[str, ...]] = {
    "program": ("program",),
    "call": ("args", "expected"),
    "stdio": ("stdin", "stdout"),
}
_EXTRAS: dict[TestKind, tuple[str, ...]] = {
    "program": ("expected",),
    "call": ("kwargs", "atol"),
    "stdio": (),
}
_Read = Callable[[Language, dict[str, Any], str], str]
_KINDS: dict[type[Any], str] = {
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


class _Wrong(Exception):
    """What is wrong with a line; becomes a SelfdebugError where the line is known."""


def load(split: str = "all", source: str = "") -> Iterator[Task]:
    """Yield the tasks of the file `source`."""
    check_split("jsonl", split, SPLITS)
    lines: dict[str, int] = {}
    for number, line in enumerate(_lines(source), start=1):
        if not line.strip():
            continue
        try:
            task = _task(_parse(line))
        except _Wrong as error:
            raise SelfdebugError(f"{source}, line {number}: {error}") from None
        if task.id in lines:
            raise SelfdebugError(
                f"{source}, line {number}: the id {task.id!r} is taken by line {lines[task.id]}"
            )
        lines[task.id] = number
        yield task
    if not lines:
        raise SelfdebugError(f"{source} holds no task; docs/tasks.md shows one")


def task_of(data: Mapping[str, Any]) -> Task:
    """Return one task from its object in JSON. Raises SelfdebugError with what is wrong with it."""
    try:
        return _task(dict(data))
    except _Wrong as error:
        raise SelfdebugError(str(error)) from None


def _lines(source: str) -> list[str]:
    if not source:
        raise SelfdebugError(
            "jsonl reads a file of yours: say which one, as in --tests tasks.jsonl"
        )
    try:
        content = Path(source).read_bytes()
    except OSError as error:
        raise SelfdebugError(f"cannot read {source}: {error.strerror}") from error
    try:
        # Not splitlines: a text in JSON may hold U+2028 and the like.
        return content.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise SelfdebugError(f"{source}, line {number}: not UTF-8 text") from error


def _parse(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        raise _Wrong(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise _Wrong("nested too deeply") from None
    if not isinstance(data, dict):
        raise _Wrong(f"a task is a JSON object, not {_name(data)}")
    return cast("dict[str, Any]", data)


def _not_json(name: str) -> NoReturn:
    raise _Wrong(f"{name} is no JSON; use a test of the form {{'program': ...}}")


def _task(data: dict[str, Any]) -> Task:
    _only(data, _FIELDS, "field")
    language = cast("Language", _get(data, "language", str, "python"))
    if language not in _LANGUAGES:
        raise _Wrong(f"no language {language!r}; there are: {', '.join(_LANGUAGES)}")
    texts = {name: _get(data, name, str, "") for name in _TEXTS}
    for name in ("prelude", "reference"):
        _check_syntax(language, texts[name], name)
    identifier = _get(data, "id", str)
    if not identifier.strip():
        raise _Wrong("the id is empty")
    tests = _get(data, "tests", list)
    if not tests:
        raise _Wrong("no tests: a program cannot be judged without one")
    read = [_test(language, test, number) for number, test in enumerate(tests, start=1)]
    if len({test.id for test in read}) < len(read):
        raise _Wrong("two tests have the same id")
    return Task(
        id=identifier,
        language=language,
        entry_point=_entry_point(data, read),
        tests=tuple(read),
        **texts,
    )


def _entry_point(data: dict[str, Any], tests: list[Test]) -> str:
    if all(test.kind == "stdio" for test in tests):
        return _get(data, "entry_point", str, "")
    name = _get(data, "entry_point", str)
    parts = name.split(".")
    if len(parts) > 2 or not all(part.replace("$", "_").isidentifier() for part in parts):
        raise _Wrong(f"entry_point {name!r} is neither a function's name nor Class.method")
    return name


def _test(language: Language, data: Any, number: int) -> Test:
    where = f"test {number}"
    if isinstance(data, str):
        data = {"program": data}
    if not isinstance(data, dict):
        raise _Wrong(f"{where} must be text or an object, not {_name(data)}")
    fields = cast("dict[str, Any]", data)
    kinds: list[TestKind] = [kind for kind, names in _FORMS.items() if names[0] in fields]
    if not kinds:
        raise _Wrong(f"{where} needs one of: program; args and expected; stdin and stdout")
    kind = kinds[0]
    _only(fields, (*_FORMS[kind], *_EXTRAS[kind], "id", "hidden"), f"{where}: field")
    return Test(
        id=_get(fields, "id", str, f"test-{number}", where),
        kind=kind,
        body=_BODIES[kind](language, fields, where),
        hidden=_get(fields, "hidden", bool, False, where),
        expected=_get(fields, "expected", str, "", where) if kind == "program" else "",
    )


def _program(language: Language, fields: dict[str, Any], where: str) -> str:
    body: str = _get(fields, "program", str, where=where)
    if not body.strip():
        raise _Wrong(f"{where}: the program is empty, so it passes everything")
    _check_syntax(language, body, where)
    return body


def _call(language: Language, fields: dict[str, Any], where: str) -> str:
    args, kwargs = _get(fields, "args", list, where=where), _get(fields, "kwargs", dict, {}, where)
    if kwargs and language == "javascript":
        raise _Wrong(f"{where}: JavaScript has no keyword arguments")
    if "expected" not in fields:
        raise _Wrong(f"{where} has no 'expected'")
    atol = fields.get("atol", 0)
    if type(atol) not in (int, float) or atol < 0:
        raise _Wrong(f"{where}: 'atol' must be a number of at least 0")
    body = {"args": args, "kwargs": kwargs, "expected": fields["expected"]}
    if language == "python":  # an object in JSON is a dict in Python, which travels in its own form
        encoded = {name: encode(value) for name, value in kwargs.items()}
        body = {"args": encode(args), "kwargs": encoded, "expected": encode(fields["expected"])}
    return json.dumps({**body, "atol": atol})


def _stdio(_language: Language, fields: dict[str, Any], where: str) -> str:
    return json.dumps({name: _get(fields, name, str, where=where) for name in _FORMS["stdio"]})


_BODIES: dict[TestKind, _Read] = {"program": _program, "call": _call, "stdio": _stdio}


def _check_syntax(language: Language, source: str, where: str) -> None:
    if language == "javascript":
        if line := error_line(source):
            raise _Wrong(f"{where} is no JavaScript: syntax error in its line {line}")
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old escape sequence is not the user's concern here
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = f" in its line {error.lineno}" if isinstance(error, SyntaxError) else ""
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise _Wrong(f"{where} is no Python: {message}{line}") from None


def _only(fields: dict[str, Any], known: tuple[str, ...], what: str) -> None:
    for name in fields:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
            raise _Wrong(f"no {what} {name!r}: {hint}")


def _get(
    fields: dict[str, Any], name: str, kind: type, default: Any = None, where: str = ""
) -> Any:
    """Return a field of the right type; without a default it must be there."""
    of = f" of {where}" if where else ""
    if name not in fields:
        if default is None:
            raise _Wrong(f"no {name!r}{of}")
        return default
    value = fields[name]
    if not isinstance(value, kind):
        raise _Wrong(f"{name!r}{of} must be {_KINDS[kind]}, not {_name(value)}")
    return value


def _name(value: object) -> str:
    if value is None:
        return "null"
    return _KINDS.get(type(value), "a number")
