"""A plain client of the language server: JSON-RPC over pipes, and open files as an editor has them.

It does what the protocol asks of an editor and no more: it answers requests, applies edits of the
version that it has, and refuses others. It shares no code with the server.

    pytest tests/test_lsp.py
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 120  # an answer that takes longer never comes

Message = dict[str, Any]

EDITOR = {
    "window": {"workDoneProgress": True},
    "workspace": {"workspaceEdit": {"documentChanges": True}},
}


class Client:
    """One server, and the files that are open in it."""

    def __init__(self, folder: Path, *flags: str, capabilities: Message = EDITOR) -> None:
        self.folder = folder
        self.texts: dict[str, tuple[int, str]] = {}
        self.seen: list[Message] = []  # what the server sent by itself, in order
        self.refuse = False
        self._arrived: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._answers: dict[int, Message] = {}
        self._last = 0
        with (folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "selfdebug", "lsp", "--stdio", *flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.server = self.request(
            "initialize",
            {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": capabilities},
        )
        self.notify("initialized", {})

    def open(self, name: str, text: str | None = None) -> str:
        """Open a file, with the text on disk or another one; return its uri."""
        path = self.folder / name
        uri = path.as_uri()
        self.texts[uri] = (1, path.read_text() if text is None else text)
        language = "python" if path.suffix == ".py" else "javascript"
        document = {"uri": uri, "languageId": language, "version": 1, "text": self.texts[uri][1]}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def change(self, uri: str, text: str) -> None:
        """Edit a file's text."""
        version = self.texts[uri][0] + 1
        self.texts[uri] = (version, text)
        document = {"uri": uri, "version": version}
        changes = [{"text": text}]
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def save(self, uri: str) -> None:
        """Say that a file was saved."""
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def actions(self, uri: str, line: int, **context: Any) -> list[Message]:
        """Return the code actions at a 1-based line."""
        at = {"line": line - 1, "character": 0}
        context = {"diagnostics": [], **context}
        where = {"textDocument": {"uri": uri}, "range": {"start": at, "end": at}}
        return self.request("textDocument/codeAction", {**where, "context": context})

    def hover(self, uri: str, line: int) -> str:
        """Return the text shown at a 1-based line."""
        at = {"line": line - 1, "character": 4}
        found = self.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": at})
        return found["contents"]["value"] if found else ""

    def command(self, name: str, *arguments: str, token: str | None = None) -> Any:
        """Run a command and return its result."""
        return self.result(self.ask_command(name, *arguments, token=token))

    def ask_command(self, name: str, *arguments: str, token: str | None = None) -> int:
        """Ask for a command, and return the request's number."""
        more = {} if token is None else {"workDoneToken": token}
        return self.ask(
            "workspace/executeCommand", {"command": name, "arguments": list(arguments), **more}
        )

    def request(self, method: str, params: Any) -> Any:
        """Return a request's result; an error fails the test."""
        return self.result(self.ask(method, params))

    def ask(self, method: str, params: Any) -> int:
        """Send a request, and return its number."""
        self._last += 1
        self._send({"id": self._last, "method": method, "params": params})
        return self._last

    def result(self, number: int) -> Any:
        """Return the result of a request once it is there."""
        answer = self.answer(number)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def answer(self, number: int) -> Message:
        """Return the whole answer of a request once it is there."""
        self._until(lambda: number in self._answers)
        return self._answers.pop(number)

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def wait(self, method: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return, and take out, the first message that the server sent by itself and is wanted."""
        found: list[Message] = []

        def there() -> bool:
            found.extend(m for m in self.seen if m["method"] == method and wanted(m["params"]))
            return bool(found)

        self._until(there)
        self.seen.remove(found[0])
        return found[0]["params"]

    def diagnostics(self, uri: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the next wanted diagnostics of a file."""

        def these(params: Any) -> bool:
            return params["uri"] == uri and wanted(params["diagnostics"])

        return self.wait("textDocument/publishDiagnostics", these)["diagnostics"]

    def rest(self, method: str) -> Iterator[Any]:
        """Yield what else has arrived."""
        return (message["params"] for message in self.seen if message["method"] == method)

    def close(self) -> int:
        """End the server as an editor does; return its exit code."""
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """End the server as a crash does."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def _until(self, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not there():
            message = self._arrived.get(timeout=max(0.0, deadline - time.monotonic()))
            assert message is not None, (self.folder / "server.log").read_text()
            if "method" not in message:
                self._answers[message["id"]] = message
                continue
            self.seen.append(message)
            if "id" in message:
                self._send({"id": message["id"], "result": self._obey(message)})

    def _obey(self, message: Message) -> Any:
        if message["method"] != "workspace/applyEdit":
            return None
        return {"applied": not self.refuse and self.apply(message["params"]["edit"])}

    def apply(self, edit: Message) -> bool:
        """Apply a workspace edit as an editor does: all of it, or nothing when it is stale."""
        changes = edit.get("documentChanges")
        if changes is None:
            changes = [
                {"textDocument": {"uri": uri, "version": None}, "edits": edits}
                for uri, edits in edit["changes"].items()
            ]
        for change in changes:
            version, text = self.texts[change["textDocument"]["uri"]]
            if change["textDocument"]["version"] not in {None, version}:
                return False
            self.change(change["textDocument"]["uri"], applied(text, change["edits"]))
        return True

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while line := stream.readline():
            length = 0
            while line.strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                line = stream.readline()
            self._arrived.put(json.loads(stream.read(length)))
        self._arrived.put(None)


def applied(text: str, edits: list[Message]) -> str:
    """Return a text with the edits made; columns are UTF-16 units, as the protocol says."""
    lines = text.encode("utf-16-le").split("\n".encode("utf-16-le"))
    starts = [sum(len(line) + 2 for line in lines[:number]) for number in range(len(lines) + 1)]
    data = text.encode("utf-16-le")

    def at(position: Message) -> int:
        return min(starts[position["line"]] + 2 * position["character"], len(data))

    pieces: list[bytes] = []
    last = 0
    for edit in sorted(edits, key=lambda each: at(each["range"]["start"])):
        start, end = at(edit["range"]["start"]), at(edit["range"]["end"])
        assert start >= last, "the edits overlap"
        pieces += [data[last:start], edit["newText"].encode("utf-16-le")]
        last = end
    return b"".join([*pieces, data[last:]]).decode("utf-16-le")
