"""The web application: each path reads its request, has the work done, and answers.

Answers are OpenAI's where OpenAI has the path, errors everywhere. The work runs in threads, within
`places`; when a client leaves, its work is told to end.

    python -m pytest tests/test_serving.py
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from selfdebug import __version__
from selfdebug.backends.transformers import Piece, TooLong, Transformers
from selfdebug.interfaces.serving import chat, repair
from selfdebug.interfaces.serving.places import BusyError, OutOfTimeError, Places, Wanted
from selfdebug.interfaces.serving.wrong import RequestError, as_json
from selfdebug.types import Judge, SelfdebugError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Offer:
    """What is served. model: None: no chat. backends: for repairs, the default first."""

    model_name: str
    model: Transformers | None
    backends: Sequence[str]
    open_backend: repair.Open
    judge: Judge
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Service:
    """Answers requests to an offer."""

    offer: Offer
    chats: Places
    repairs: Places

    async def health(self, _: Request) -> Response:
        """Say that the server answers."""
        return answered({"status": "ok", "version": __version__})

    async def models(self, _: Request) -> Response:
        """List the model, if there is one."""
        return answered({"object": "list", "data": [self._about()] if self.offer.model else []})

    async def model(self, request: Request) -> Response:
        """Describe the model, by its name."""
        name = request.path_params["name"]
        if not self.offer.model or name != self.offer.model_name:
            raise RequestError(f"there is no model {name!r}", 404, code="model_not_found")
        return answered(self._about())

    async def chat(self, request: Request) -> Response:
        """Reply to a conversation, at once or piece by piece."""
        from starlette.responses import StreamingResponse

        model = self.offer.model
        if model is None:
            message = "no model is served here: start selfdebug serve with --model"
            raise RequestError(message, 404, code="model_not_found")
        body = await read_object(request)
        asked = chat.read(body, self.offer.model_name, self.offer.max_tokens)
        answer = chat.Answer(asked, self.offer.model_name)
        pieces = self._pieces(model, asked)
        if not asked.stream:
            async with aclosing(pieces):
                found = await while_there(request, _all(pieces))
            return answered(answer.whole(found))
        # What is refused at once gets a status of its own; later it is too late for one.
        first = await while_there(request, anext(pieces))
        return StreamingResponse(
            _events(first, pieces, answer),
            media_type="text/event-stream",
            headers={"cache-control": "no-cache", "x-accel-buffering": "no"},
        )

    async def repair(self, request: Request) -> Response:
        """Mend a program."""
        asked = repair.read(await read_object(request), self.offer.backends)
        offer = self.offer

        def work(wanted: Wanted) -> dict[str, Any]:
            return repair.run(asked, offer.open_backend, offer.judge, wanted)

        return answered(await while_there(request, self.repairs.run(work)))

    def close(self) -> None:
        """End all work, and return when it has ended."""
        for places in (self.chats, self.repairs):
            places.close()

    def _about(self) -> dict[str, Any]:
        name = self.offer.model_name
        return {"id": name, "object": "model", "created": 0, "owned_by": "selfdebug"}

    async def _pieces(self, model: Transformers, asked: chat.Chat) -> AsyncGenerator[Piece]:
        """Yield the pieces of all replies as the model writes them."""
        loop = asyncio.get_running_loop()
        written: asyncio.Queue[Piece | None] = asyncio.Queue()

        def work(wanted: Wanted) -> None:
            def take(piece: Piece) -> bool:
                loop.call_soon_threadsafe(written.put_nowait, piece)
                return wanted()

            try:
                if wanted():
                    model.write(asked.messages, asked.n, asked.sampling, take)
            finally:
                loop.call_soon_threadsafe(written.put_nowait, None)

        wanted, future = self.chats.begin(work)
        left = asked.n
        try:
            while left:
                piece = await asyncio.wait_for(written.get(), max(wanted.left, 0))
                if piece is None:  # it ended before all replies did
                    await asyncio.wrap_future(future)
                    raise OutOfTimeError
                left -= bool(piece.finish_reason)
                yield piece
        except TimeoutError:
            raise OutOfTimeError from None
        finally:
            wanted.drop()


def build(service: Service) -> Starlette:
    """Return the ASGI application."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect
    from starlette.routing import Route

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        await asyncio.to_thread(service.close)

    async def wrong(_: Request, error: Exception) -> Response:
        return refused(error)

    routes = [
        Route("/health", service.health, methods=["GET"]),
        Route("/v1/models", service.models, methods=["GET"]),
        Route("/v1/models/{name:path}", service.model, methods=["GET"]),
        Route("/v1/chat/completions", service.chat, methods=["POST"]),
        Route("/repair", service.repair, methods=["POST"]),
    ]
    kinds = (RequestError, BusyError, OutOfTimeError, TooLong, SelfdebugError, HTTPException)
    handlers: dict[Any, Any] = dict.fromkeys((*kinds, ClientDisconnect, _LeftError), wrong)
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)


def answered(value: Any) -> Response:
    """Return a value as an answer."""
    from starlette.responses import Response

    return Response(as_json(value), media_type="application/json")


def refused(error: Exception) -> Response:
    """Return what went wrong as an answer."""
    from starlette.responses import Response

    told = as_request_error(error)
    return Response(
        as_json(told.body()), told.status, told.headers(), media_type="application/json"
    )


def as_request_error(error: Exception) -> RequestError:
    """Return what a client is told of an error."""
    match error:
        case RequestError():
            return error
        case BusyError():
            return RequestError("too many requests at once: try again soon", 429)
        case OutOfTimeError():
            return RequestError("the time for a request was up", 504, code="timeout")
        case TooLong():
            message = f"{error}: shorten the messages"
            return RequestError(message, param="messages", code="context_length_exceeded")
        case SelfdebugError():
            return RequestError(str(error))
        case _:  # starlette's own: no such path, or not by this method
            status: int = getattr(error, "status_code", 400)
            return RequestError(str(getattr(error, "detail", "") or "the client left"), status)


async def read_object(request: Request) -> dict[str, Any]:
    """Return a request's body, a JSON object. Raises RequestError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # what a foreign page may send unasked is none
        raise RequestError("send JSON, with Content-Type: application/json", 415)
    data = await request.body()
    try:
        value = json.loads(data, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        raise RequestError("the body is not UTF-8, or holds half a surrogate pair") from None
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise RequestError("the body must be a JSON object")
    return cast("dict[str, Any]", value)


async def while_there(request: Request, work: Awaitable[Result]) -> Result:
    """Return what the work gives; cancel it when the client leaves."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise _LeftError
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


class _LeftError(Exception):
    """Nobody waits for the answer."""

    status_code = 499
    detail = "the client left"


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _all(pieces: AsyncGenerator[Piece]) -> list[Piece]:
    return [piece async for piece in pieces]


async def _events(
    first: Piece, pieces: AsyncGenerator[Piece], answer: chat.Answer
) -> AsyncGenerator[bytes]:
    """Yield the chunks as server-sent events; an error, too, is one."""
    event: Callable[[Any], bytes] = lambda value: b"data: " + as_json(value) + b"\n\n"  # noqa: E731
    async with aclosing(pieces):
        for chunk in answer.first():
            yield event(chunk)
        for chunk in answer.chunks(first):
            yield event(chunk)
        try:
            async for piece in pieces:
                for chunk in answer.chunks(piece):
                    yield event(chunk)
        except (BusyError, OutOfTimeError, SelfdebugError) as error:
            yield event(as_request_error(error).body())
            return
        for chunk in answer.last():
            yield event(chunk)
    yield b"data: [DONE]\n\n"


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")
