"""Connections that are slow on purpose do not stay: uvicorn's protocol with three more limits.

uvicorn waits for ever for the end of a request's head, and for a client that reads nothing of its
answer; and a machine has only so many file descriptors. Bodies are `guard`'s concern.

    python -m pytest tests/test_serving_robustness.py
"""

from __future__ import annotations

import asyncio
from typing import Any

HEAD_SECONDS = 10.0  # from a connection's or a request's first byte to the end of its head
STALL_SECONDS = 30.0  # that a client may read nothing of its answer
CONNECTIONS = 256


def protocol() -> type[asyncio.Protocol]:
    """Return the class; uvicorn is part of the extra `serve`."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        """HTTP on one connection."""

        _slow: asyncio.TimerHandle | None = None
        _stalled: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > CONNECTIONS:
                transport.abort()
            self._expect_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._answering():
                self._slow = _cancelled(self._slow)
            elif self._slow is None:
                self._expect_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._slow, self._stalled = _cancelled(self._slow), _cancelled(self._stalled)
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

        def resume_writing(self) -> None:
            self._stalled = _cancelled(self._stalled)
            super().resume_writing()

        def _expect_head(self) -> None:
            self._slow = self.loop.call_later(HEAD_SECONDS, self._give_up)

        def _give_up(self) -> None:
            self._slow = None
            if not self._answering():
                self.transport.close()

        def _answering(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    return Patient


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
