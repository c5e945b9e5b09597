"""What the tests of the playground share: an exercise of a teacher, and a playground to ask."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from selfdebug.interfaces.web import server, texts
from selfdebug.interfaces.web.playground import Playground, Settings

EXERCISE = """# largest

`largest(numbers)` returns the largest of some numbers.

```python
def largest(numbers):
    best = numbers[0]
    for number in numbers:
        if number > best:
            best = number
    return best
```

## Bug: logic

```diff
-        if number > best:
+        if number < best:
```

## Tests

```python
assert largest([1]) == 1
assert largest([1, 5, 2]) == 5
```

## Hidden tests

```python
assert largest([-3, -2]) == -2
```
"""
LARGEST = "class/python/largest/1"
BROKEN = """def largest(numbers):
    best = numbers[0]
    for number in numbers:
        if number < best:
            best = number
    return best
"""
RIGHT = BROKEN.replace("<", ">")
TEACHER = "teach"
HERE = "http://localhost"


def class_folder(folder: Path, text: str = EXERCISE) -> Path:
    """Write a teacher's folder with one exercise."""
    (folder / "python").mkdir(parents=True)
    (folder / "python" / "largest.md").write_text(text)
    return folder


@contextmanager
def opened(folder: Path, **settings: Any) -> Iterator[Playground]:
    """Open a playground with the teacher's exercise alone."""
    exercises = folder / "exercises"
    if not exercises.exists():
        class_folder(exercises)
    wanted = Settings(folder / "runs", [exercises], with_shipped=False, **settings)
    playground = Playground(wanted)
    try:
        yield playground
    finally:
        playground.close()


def student(playground: Playground, **more: Any) -> TestClient:
    """Return a browser of a new student, as far as the server can tell."""
    app = server.application(playground, texts.load(), teacher_token=TEACHER, **more)
    client = TestClient(app, base_url=HERE, headers={"origin": HERE})  # pyright: ignore
    client.get("/")  # it sets the student's cookie
    return client


def run(client: httpx.Client, code: str, **fields: str) -> httpx.Response:
    return client.post("/run", data={"exercise": LARGEST, "code": code, **fields})


def ask(client: httpx.Client, page: str, rung: str) -> str:
    """Ask for a hint as the page does, and wait for it."""
    fields = dict(re.findall(r'name="(exercise|code_sha)" value="([^"]*)"', page))
    while True:
        answer = client.post("/hint", data={**fields, "rung": rung}).text
        if 'name="poll"' not in answer:
            return answer
        time.sleep(0.05)
