"""What a client is told when a request cannot be served: OpenAI's error object and a status.

A client's own text is only ever quoted by `repr`, so that no answer fails on it.

    python -m pytest tests/test_serving.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

KINDS = {401: "authentication_error", 429: "rate_limit_error"}  # else by the hundreds
RETRY = {429: "1", 503: "5"}  # seconds after which to try again


class RequestError(Exception):
    """A request that is refused. param: of the body, that is wrong. code: for programs."""

    def __init__(self, message: str, status: int = 400, *, param: str = "", code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code

    def body(self) -> dict[str, Any]:
        """Return the error in OpenAI's form."""
        other = "server_error" if self.status >= 500 else "invalid_request_error"
        kind = KINDS.get(self.status, other)
        fields = {"message": str(self), "type": kind}
        return {"error": {**fields, "param": self.param or None, "code": self.code or None}}

    def headers(self) -> Mapping[str, str]:
        """Return the headers that go with the status."""
        headers = {"retry-after": RETRY[self.status]} if self.status in RETRY else {}
        return headers | ({"www-authenticate": "Bearer"} if self.status == 401 else {})


def as_json(value: Any) -> bytes:
    """Return JSON in plain ASCII: it can carry every text, half a surrogate pair too."""
    return json.dumps(value, separators=(",", ":")).encode()
