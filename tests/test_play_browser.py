"""The playground in a browser: the whole ladder by mouse and by keyboard, and for everyone.

Needs Chromium (Debian's package `chromium`).

    pytest tests/test_play_browser.py -m slow
"""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from playgrounds import BROKEN, LARGEST, RIGHT, opened
from selfdebug.interfaces.web import play, server, texts
from selfdebug.interfaces.web.hints import RUNGS

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "no-sandbox disable-gpu no-first-run disable-background-networking disable-sync disable-quic"
)
VIEWS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}},
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    with opened(folder) as playground, play.listening("127.0.0.1", 0) as socket:
        app = server.application(playground, texts.load(), teacher_token="teach")  # noqa: S106
        serving = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [socket]})
        thread.start()
        while not serving.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        serving.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        flags = [f"--{flag}" for flag in [*FLAGS.split(), "disable-component-update"]]
        found = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


@contextmanager
def visiting(browser: Browser, **options: object) -> Iterator[Page]:
    """A student's page; what the browser complains of fails the test."""
    context = browser.new_context(**options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text))
    yield page
    context.close()
    assert not complaints


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until something of that name has the focus."""
    read = "(e => e.labels?.[0]?.textContent || e.textContent)(document.activeElement)"
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate(read).strip() == name:
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def test_the_whole_ladder_by_mouse(browser: Browser, address: str) -> None:
    with visiting(browser) as page:
        page.goto(address)
        page.get_by_role("link", name="Largest").click()
        page.get_by_role("button", name="Run the tests").click()
        expect(page.get_by_role("heading", name="1 of 2 tests pass")).to_be_visible()
        hints = page.locator("#ladder li")
        for number in range(1, 5):
            page.locator("#ladder button").click()
            expect(hints).to_have_count(number, timeout=60_000)
            text = hints.last.inner_text()
            assert ("if number > best" in text) == (number == 4)
        expect(page.locator("#ladder button")).to_have_count(0)


def test_the_whole_ladder_by_keyboard(browser: Browser, address: str) -> None:
    words = texts.load()
    with visiting(browser) as page:
        page.goto(address)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        tab_to(page, "Largest")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{address}/exercise/{LARGEST}")
        tab_to(page, "Program")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#live")).to_have_text("1 of 2 tests pass")
        expect(page.get_by_label("Program")).to_be_focused()  # who types is not torn away
        for number, rung in enumerate(RUNGS, 1):
            tab_to(page, words[f"ask_{rung}"])
            page.keyboard.press("Enter")
            heading = page.locator("#ladder li h3").nth(number - 1)
            expect(heading).to_be_focused(timeout=60_000)
            assert words[f"hint_{rung}"] in heading.inner_text()
        tab_to(page, "Program", "Shift+Tab")
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(RIGHT)
        page.keyboard.press("Control+Enter")
        expect(page.locator("#live")).to_have_text("All 2 tests pass. Well done!")


def test_the_editor_numbers_lines_indents_and_starts_over(browser: Browser, address: str) -> None:
    with visiting(browser) as page:
        page.goto(f"{address}/exercise/{LARGEST}")
        editor = page.get_by_label("Program")
        editor.fill("def f():")
        editor.press("End")
        page.keyboard.press("Enter")
        page.keyboard.type("return 1")
        expect(editor).to_have_value("def f():\n    return 1")
        expect(page.locator(".editor pre")).to_have_text("1\n2")
        page.get_by_role("button", name="Start over").click()
        expect(editor).to_have_value(BROKEN)


@pytest.mark.parametrize("view", VIEWS)
def test_no_serious_fault_for_assistive_technology(
    browser: Browser, address: str, view: str, tmp_path: Path
) -> None:
    def check(page: Page) -> None:
        found = Axe().run(page).response["violations"]
        assert not [f for f in found if f["impact"] in ("serious", "critical")]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, "the page scrolls sideways"

    with visiting(browser, **VIEWS[view]) as page:
        page.goto(address)
        check(page)
        page.goto(f"{address}/own")
        check(page)
        page.goto(f"{address}/exercise/{LARGEST}")
        page.get_by_role("button", name="Run the tests").click()
        for number in range(1, 5):
            page.locator("#ladder button").click()
            expect(page.locator("#ladder li")).to_have_count(number, timeout=60_000)
        check(page)
        page.goto(f"{address}/teacher?key=teach")
        expect(page.get_by_role("heading", name="Teacher")).to_be_visible()
        check(page)
        assert re.search("wrong value", page.content())
