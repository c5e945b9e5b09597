"""Frames between processes: a 4-byte big-endian length, then UTF-8 JSON.

It moves messages and notices when the other end is gone, late or talks nonsense. It gives no
meaning to them, and it trusts no length or text that it reads.

    python -m pytest tests/test_channel.py
"""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from typing import Any, Literal

Message = dict[str, Any]
Reason = Literal["closed", "timeout", "protocol", "too_large"]

_HEADER = 4
_CHUNK = 1 << 16
_dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Lost(Exception):
    """The other end is gone, late, or does not keep the protocol; `reason` says which."""

    def __init__(self, reason: Reason, detail: Message | None = None) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.detail: Message = detail or {}


class Channel:
    """One end of a stream of frames over a socket, which it owns. Not thread-safe."""

    def __init__(self, end: socket.socket, max_bytes: int = 1 << 30) -> None:
        end.setblocking(True)
        self._socket = end
        self._fd = end.fileno()
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._deadline = float("inf")

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._fd

    def limit(self, seconds: float) -> None:
        """Let everything from now on raise Lost("timeout") once `seconds` have passed."""
        self._deadline = time.monotonic() + seconds
        # The kernel's own time-out: no extra system call for each message.
        timeval = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6) or 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)

    def send(self, message: Message) -> None:
        """Send one frame. Raises Lost when the other end is gone or does not read in time."""
        body = _dumps(message).encode()
        data = len(body).to_bytes(_HEADER, "big") + body
        sent = self._write(data)
        while sent < len(data):
            sent += self._write(data[sent : sent + _CHUNK])

    def receive(self) -> Message:
        """Return the next frame. Raises Lost."""
        buffer = self._buffer
        while len(buffer) < _HEADER:
            self._fill()
        end = _HEADER + int.from_bytes(buffer[:_HEADER], "big")
        if end > self._max_bytes:
            raise Lost("too_large")
        while len(buffer) < end:
            self._fill()
        body = bytes(buffer[_HEADER:end])
        del buffer[:end]
        try:
            message: object = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Lost("protocol") from error
        if not isinstance(message, dict):
            raise Lost("protocol")
        return message  # pyright: ignore[reportUnknownVariableType]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError as error:
            raise Lost("timeout") from error
        except OSError as error:
            raise Lost("closed") from error

    def _fill(self) -> None:
        try:
            chunk = os.read(self._fd, _CHUNK)
        except BlockingIOError as error:
            raise Lost("timeout") from error
        except OSError as error:
            raise Lost("closed") from error
        if not chunk:
            raise Lost("closed")
        self._buffer += chunk
        if time.monotonic() > self._deadline:  # it trickles
            raise Lost("timeout")
