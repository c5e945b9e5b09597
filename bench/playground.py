"""Fifty students at once: how long does a test run take while all of them ask for hints?

Each student runs an exercise as it is and asks for two hints, changes it to a program that nobody
else has and does so again, and runs two more changes.
It fails when the 95th percentile of a run is over two seconds, when anything but a good answer
comes, or when a run is missing from the database.

    python bench/playground.py --students 50
"""

from __future__ import annotations

import argparse
import asyncio
import html
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx

BAR_SECONDS = 2.0
_CODE = re.compile(r'<textarea id="code".*?>\n(.*?)</textarea>', re.DOTALL)
_FIELD = re.compile(r'name="(exercise|code_sha)" value="([^"]*)"')


class Room:
    """What was measured. runs, hints: seconds until the answer; late: hints given up at the end."""

    def __init__(self, seconds: float) -> None:
        self.until = time.perf_counter() + seconds
        self.late = 0
        self.runs: list[float] = []
        self.hints: list[float] = []
        self.faults: Counter[str] = Counter()


async def student(address: str, number: int, rounds: int, think: float, room: Room) -> None:
    rng = random.Random(number)
    async with httpx.AsyncClient(
        base_url=address, headers={"origin": address}, timeout=120
    ) as client:
        home = (await client.get("/")).text
        exercises = sorted(re.findall(r'href="/exercise/([^"]+)"', home))
        for exercise in rng.sample(exercises, rounds):
            page = (await client.get(f"/exercise/{exercise}")).text
            found = _CODE.search(page)
            mark = "#" if "/python/" in exercise else "//"
            code = html.unescape(found[1] if found else "")
            for version in range(4):
                await asyncio.sleep(rng.uniform(0.5, 1.5) * think)
                changed = f"{code}{mark} {number}, {version}\n" if version else code
                results = await run(client, exercise, changed, room)
                if version > 1:
                    continue
                if "ladder" not in results:
                    room.faults[f"{exercise}: no hints under the results"] += 1
                    continue
                if await hint(client, results, "kind", room):
                    await hint(client, results, "where", room)


async def run(client: httpx.AsyncClient, exercise: str, code: str, room: Room) -> str:
    started = time.perf_counter()
    answer = await client.post("/run", data={"exercise": exercise, "code": code})
    room.runs.append(time.perf_counter() - started)
    if answer.status_code != 200 or "tests pass" not in answer.text:
        room.faults[f"run: {answer.status_code}"] += 1
    return answer.text


async def hint(client: httpx.AsyncClient, page: str, rung: str, room: Room) -> bool:
    """Ask and wait for a hint; False when it was given up."""
    fields = dict(_FIELD.findall(page.partition('id="ladder"')[2]))
    started = time.perf_counter()
    while True:
        answer = await client.post("/hint", data={**fields, "rung": rung})
        if answer.status_code != 200:
            room.faults[f"hint: {answer.status_code}"] += 1
        if "<li>" in answer.text:
            break
        if 'name="poll"' not in answer.text:
            room.faults[f"hint: none for {fields.get('exercise')}"] += 1
            break
        if time.perf_counter() > room.until:
            room.late += 1
            return False
        await asyncio.sleep(1.5)  # as the page does
    room.hints.append(time.perf_counter() - started)
    return True


async def measure(address: str, students: int, rounds: int, think: float, seconds: float) -> Room:
    room = Room(seconds)
    await asyncio.gather(
        *(student(address, number, rounds, think, room) for number in range(students))
    )
    return room


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=1, help="exercises a student")
    parser.add_argument("--think", type=float, default=1.0, help="mean seconds before a run")
    parser.add_argument("--seconds", type=float, default=50.0, help="to wait for hints")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "selfdebug", "play", "--port", "0", "--out", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as playground:
            assert playground.stdout is not None
            address = playground.stdout.readline().split()[-1].rstrip("/")
            started = time.perf_counter()
            room = asyncio.run(
                measure(address, given.students, given.rounds, given.think, given.seconds)
            )
            seconds = time.perf_counter() - started
            playground.terminate()
        with closing(sqlite3.connect(Path(folder) / "play.sqlite")) as database:
            kept = database.execute("select count(*) from runs").fetchone()[0]
    counts = f"{len(room.runs)} runs, {len(room.hints)} hints, {room.late} more waited for"
    print(f"{given.students} students, {counts}, {seconds:.0f} s")
    for name, values in (("run", room.runs), ("hint", room.hints)):
        middle, most = statistics.median(values), max(values)
        print(f"{name}: median {middle:.2f} s, p95 {p95(values):.2f} s, longest {most:.2f} s")
    print(f"kept: {kept} of {len(room.runs)} runs; faults: {dict(room.faults) or 'none'}")
    good = p95(room.runs) <= BAR_SECONDS and not room.faults and kept == len(room.runs)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
