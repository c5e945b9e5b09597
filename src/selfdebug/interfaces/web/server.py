"""The playground's pages over HTTP: reads a request, asks `Playground`, renders an answer.

`serve` runs it until it is interrupted. What may come in at all is decided in `guard`.

    selfdebug play --port 8000
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from selfdebug.interfaces.web import exercises, teacher
from selfdebug.interfaces.web.guard import Guard
from selfdebug.interfaces.web.ladder import Ladder, NotAllowed
from selfdebug.interfaces.web.playground import MAX_CHARS, Playground, Refused
from selfdebug.interfaces.web.views import STATIC, Views
from selfdebug.types import Task, Verdict

if TYPE_CHECKING:
    from fastapi import Request, Response

_STUDENT = re.compile(r"[A-Za-z0-9_-]{32}")
_COOKIE_SECONDS = 180 * 24 * 3600
_FIRST = re.compile(r"\s*(.*?[.:!?])(?:\s|$)", re.DOTALL)


def application(
    playground: Playground,
    texts: Mapping[str, str],
    *,
    teacher_token: str,
    join_token: str = "",
    local: bool = True,
) -> Guard:
    """Return the ASGI application. It closes the playground when it ends."""
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        playground.close()

    app = FastAPI(openapi_url=None, lifespan=lifespan)
    pages = _Pages(playground, texts, teacher_token)
    # Plain routes: a page reads its form itself, and there is no schema to publish.
    for path, method, page in (
        ("/", "GET", pages.home),
        ("/own", "GET", pages.own),
        ("/exercise/{exercise:path}", "GET", pages.exercise),
        ("/run", "POST", pages.run),
        ("/hint", "POST", pages.hint),
        ("/me", "POST", pages.me),
        ("/forget", "POST", pages.forget),
        ("/teacher", "GET", pages.teacher),
        ("/teacher/export.{form}", "GET", pages.export),
        ("/teacher/erase", "POST", pages.erase),
        ("/{rest:path}", "GET", pages.nothing),
    ):
        if path == "/{rest:path}":
            app.mount("/static", StaticFiles(directory=STATIC))
        app.add_route(path, page, methods=[method])
    return Guard(app, local=local, token=join_token)


class _Pages:
    """One method a page."""

    def __init__(
        self, playground: Playground, texts: Mapping[str, str], teacher_token: str
    ) -> None:
        self._playground = playground
        self._storage = playground.storage
        self._texts = texts
        self._views = Views(texts)
        self._teacher_token = teacher_token

    async def home(self, request: Request) -> Response:
        cookie = _cookie(request)
        progress = self._storage.progress(cookie)
        tasks = sorted(
            self._playground.tasks.values(), key=lambda task: task.language, reverse=True
        )
        groups = [
            (language, [_card(task, progress) for task in group])
            for language, group in groupby(tasks, key=lambda task: task.language)
        ]
        nickname = self._storage.nickname(cookie)
        return self._page(request, "home", here="home", groups=groups, nickname=nickname)

    async def own(self, request: Request) -> Response:
        last = self._storage.last_run(_cookie(request), f"{exercises.OWN}*")
        return self._page(
            request, "exercise", here="own", exercise="own", title=self._texts["own_title"],
            about=self._texts["own_lead"], language="", start="", limit=MAX_CHARS,
            code=last.code if last else "", tests=last.tests if last else "",
            own_language=last.exercise.split("/")[1] if last else "python",
        )  # fmt: skip

    async def exercise(self, request: Request) -> Response:
        task = self._playground.tasks.get(request.path_params["exercise"])
        if task is None:
            return await self.nothing(request)
        last = self._storage.last_run(_cookie(request), task.id)
        return self._page(
            request, "exercise", here="", exercise=task.id, title=exercises.title(task),
            about=task.prompt, language=task.language, start=task.broken, limit=MAX_CHARS,
            code=last.code if last else task.broken,
        )  # fmt: skip

    async def run(self, request: Request) -> Response:
        form = await _form(request)
        cookie = _cookie(request)
        code = form.get("code", "").replace("\r\n", "\n")
        tests = form.get("tests", "").replace("\r\n", "\n")
        exercise, language = form.get("exercise", ""), form.get("language", "")
        try:
            run, verdict = await self._playground.run(cookie, exercise, code, language, tests)
        except Refused as refused:
            return self._message(request, refused)
        if verdict.unknown:
            return self._message(request, Refused("harness"), status=503)
        ladder = self._playground.offered(cookie, run, verdict)
        return self._page(
            request, "results", **_results(verdict), **self._ladder(ladder),
            headline=self._headline(verdict), next=self._playground.after(run.exercise),
        )  # fmt: skip

    async def hint(self, request: Request) -> Response:
        form = await _form(request)
        given = (form.get("exercise", ""), form.get("code_sha", ""), form.get("rung", ""))
        try:
            ladder = await self._playground.hint(_cookie(request), *given)
        except Refused as refused:
            return self._message(request, refused)
        except NotAllowed:
            return self._message(request, Refused("capped"), status=403)
        if ladder.waiting and form.get("poll"):
            return _nothing_new()
        return self._page(request, "ladder", **self._ladder(ladder))

    async def me(self, request: Request) -> Response:
        nickname = (await _form(request)).get("nickname", "").strip()[:40]
        self._storage.rename(_cookie(request), nickname)
        return self._page(request, "saved")

    async def forget(self, request: Request) -> Response:
        self._storage.forget(_cookie(request))
        response = _redirect("/")
        response.delete_cookie("student")
        return response

    async def teacher(self, request: Request) -> Response:
        if _same(request.query_params.get("key", ""), self._teacher_token):
            response = _redirect("/teacher")
            response.set_cookie("teacher", self._teacher_token, httponly=True, samesite="lax")
            return response
        if not self._is_teacher(request):
            return self._page(request, "error", 403, here="", said=self._texts["teacher_closed"])
        names = {task.id: exercises.title(task) for task in self._playground.tasks.values()}
        return self._page(
            request, "teacher", here="teacher", names=names,
            exercises=teacher.by_exercise(self._storage),
            students=teacher.by_student(self._storage),
        )  # fmt: skip

    async def export(self, request: Request) -> Response:
        from fastapi import Response

        forms = {
            "csv": (teacher.as_csv, "text/csv"),
            "json": (teacher.as_json, "application/json"),
        }
        form = request.path_params["form"]
        if not self._is_teacher(request) or form not in forms:
            return await self.nothing(request)
        write, kind = forms[form]
        named = {"content-disposition": f'attachment; filename="playground.{form}"'}
        return Response(write(self._storage), media_type=f"{kind}; charset=utf-8", headers=named)

    async def erase(self, request: Request) -> Response:
        if not self._is_teacher(request):
            return await self.nothing(request)
        self._storage.erase()
        return _redirect("/teacher")

    async def nothing(self, request: Request) -> Response:
        return self._page(request, "error", 404, here="", said=self._texts["no_exercise"])

    def _is_teacher(self, request: Request) -> bool:
        return _same(request.cookies.get("teacher", ""), self._teacher_token)

    def _headline(self, verdict: Verdict) -> str:
        visible = verdict.visible
        passed = sum(result.status == "pass" for result in visible)
        if verdict.passed:
            return self._texts["all_pass"].format(total=len(visible))
        return self._texts["some_pass"].format(passed=passed, total=len(visible))

    def _ladder(self, ladder: Ladder | None) -> dict[str, Any]:
        if ladder is None:
            return {"ladder": None}
        said = self._texts[ladder.said] if ladder.said else ""
        return {**ladder.values(), "said": said}

    def _message(self, request: Request, why: Refused, status: int = 400) -> Response:
        said = self._texts[why.text].format(**why.fields)
        return self._page(request, "message", status, said=said)

    def _page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        from fastapi.responses import HTMLResponse

        # A shared computer must not bring back another student's page.
        headers = {"cache-control": "no-store"}
        response = HTMLResponse(self._views.render(template, **values), status, headers)
        # The cookie is renewed while it is used; it names nobody.
        cookie = _cookie(request)
        response.set_cookie(
            "student", cookie, max_age=_COOKIE_SECONDS, httponly=True, samesite="lax"
        )
        return response


def _cookie(request: Request) -> str:
    """Return the student's cookie; a new one is the same for the whole request."""
    given = request.cookies.get("student", "")
    if _STUDENT.fullmatch(given):
        return given
    if not hasattr(request.state, "student"):
        request.state.student = secrets.token_urlsafe(24)
    return str(request.state.student)


async def _form(request: Request) -> dict[str, str]:
    """Return a form's fields; text that is no UTF-8 has its wrong bytes replaced."""
    body = (await request.body()).decode("ascii", "replace")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=10, errors="replace"))
    except ValueError:  # more fields than any of the forms has
        return {}


def _card(task: Task, progress: Mapping[str, bool]) -> dict[str, str]:
    state = {None: "", False: "tried", True: "solved"}[progress.get(task.id)]
    first = _FIRST.match(task.prompt)
    about = first[1] if first else task.prompt
    return {"id": task.id, "title": exercises.title(task), "about": about, "state": state}


def _results(verdict: Verdict) -> dict[str, Any]:
    visible = verdict.visible
    return {
        "solved": verdict.passed,
        "failing": [r for r in visible if r.status not in ("pass", "not_run")],
        "unfinished": [r.test_id for r in visible if r.status == "not_run"],
        "passing": [r.test_id for r in visible if r.status == "pass"],
        "hidden_failing": sum(r.hidden and r.status != "pass" for r in verdict.results)
        if verdict.visible_passed
        else 0,
    }


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _nothing_new() -> Response:
    """Leave the page as it is: what it waits for is not there yet."""
    from fastapi import Response

    return Response(status_code=204)


def _redirect(to: str) -> Response:
    from fastapi.responses import RedirectResponse

    return RedirectResponse(to, 303)
