"""Write docs/cli.md from the program's own `--help`, so that the page cannot go stale.

With --check it writes nothing, and fails when the page is stale, or when a page of the
documentation links to a file that is not there or names a verb that does not exist.

    python docs/generate.py --check
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "cli.md"
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / f for f in ("README.md", "CHANGELOG.md"))]
HEAD = """\
# The command line

Written by `make docs` from `selfdebug --help`; CI checks that it is up to date.

Exit codes, the same for every verb:

| code | meaning |
|---|---|
| 0 | it worked: the program passes, the file was repaired, the sandbox is usable |
| 1 | it worked, and the answer is no: a test fails, or no repair was found |
| 2 | the input is wrong; one line on standard error says what and what to do |
| 3 | a fault of the harness: nothing is known about the program |
| 130 | interrupted; a run with a folder resumes when the same command is given again |
"""


def help_of(*verb: str) -> str:
    """The help text of the program or of one verb, at a fixed width."""
    command = [sys.executable, "-m", "selfdebug", *verb, "--help"]
    environment = {**os.environ, "COLUMNS": "96", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def verbs(*of: str) -> list[str]:
    """The verbs, or those of one verb, as the program's own help lists them."""
    return re.findall(r"^  ([a-z]+) ", help_of(*of).partition("Commands:")[2], re.M)


def reference() -> str:
    """The whole page."""
    sections = [HEAD, f"```\n{help_of()}\n```\n"]
    for verb in verbs():
        sections.append(f"## selfdebug {verb}\n\n```\n{help_of(verb)}\n```\n")
        for part in verbs(verb):
            text = help_of(verb, part)
            sections.append(f"### selfdebug {verb} {part}\n\n```\n{text}\n```\n")
    return "\n".join(sections)


def faults(known_verbs: list[str]) -> list[str]:
    """What is wrong in the pages: links into the repository, verbs and make targets."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    found: list[str] = []
    for page in PAGES:
        text, name = page.read_text(), page.relative_to(ROOT)
        links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
        found += [f"{name}: no file {k}" for k in links if not (page.parent / k).exists()]
        code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.S))
        named = re.findall(r"(?:^|[`/]|\$ )selfdebug ([a-z]+)", code, re.M)
        found += [f"{name}: no verb {v}" for v in named if v not in known_verbs]
        made = re.findall(r"(?:^|`|\$ )make ([a-z]+)", code, re.M)
        found += [f"{name}: no make target {m}" for m in made if m not in targets]
    return found


def main() -> int:
    """Write the page, or check all of them."""
    page = reference()
    if "--check" not in sys.argv:
        PAGE.write_text(page)
        return 0
    stale = [] if PAGE.exists() and PAGE.read_text() == page else ["docs/cli.md: run `make docs`"]
    wrong = stale + faults(verbs())
    print("\n".join(wrong) or "docs: up to date")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
