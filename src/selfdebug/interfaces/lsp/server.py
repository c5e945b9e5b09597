"""The language server: one run at a time in each open file, and what it finds, to the editor.

On save or on demand the file's tests are run on the text that the editor holds; a repair that
passes them is offered as an edit of that very version of the text. The server itself only passes
messages on; it writes no file, and offers no edit of another one.

    selfdebug lsp
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lsprotocol import types as lsp
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from selfdebug import __version__, sourcefile, usertests
from selfdebug.interfaces.lsp import answers, runs
from selfdebug.interfaces.lsp.finding import Finding
from selfdebug.interfaces.lsp.progress import progress
from selfdebug.types import SelfdebugError

_RUNS_AT_ONCE = 2  # each uses all cores as it is; a save of many files must not start as many
_EDITED = "the file was edited during the run, so nothing was changed: ask again"


@dataclass(slots=True)
class _Open:
    """An open file. version: of the text that `found` was found in. tests: chosen by a person."""

    run: asyncio.Task[Finding] | None = None
    found: Finding | None = None
    version: int | None = None
    tests: str = ""
    told: str = ""  # the last complaint, not to be repeated at every save


class Protocol(LanguageServerProtocol):
    """That of pygls, except that a command is one task: cancelling it cancels what it does."""

    @lsp_method(lsp.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, params: lsp.ExecuteCommandParams
    ) -> Any:
        """Run a command, with the progress token that came with it."""
        return await cast(Server, self._server).execute(params)


class Server(LanguageServer):
    """What is known of each open file, and the runs that find it out."""

    def __init__(self, settings: runs.Settings) -> None:
        # Whole texts: an edit that both sides count differently would spoil all that follow.
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            "selfdebug",
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
        )
        self._settings = settings
        self._open: dict[str, _Open] = {}
        self._runs: set[asyncio.Task[Finding]] = set()  # those that are being stopped too
        self._turns = asyncio.Semaphore(_RUNS_AT_ONCE)

    async def examine(
        self, uri: str, *, again: bool = False, token: lsp.ProgressToken | None = None
    ) -> Finding:
        """Return what is to be found in the text as it is now; again: even if it is known.

        A run that goes on is joined. It is cancelled when the text changes, and when one of those
        who wait for it is cancelled.
        """
        document, state = self._document(uri), self._open.setdefault(uri, _Open())
        known = self.known(uri)
        if known is not None and known.ended and not again:
            return known
        if state.run is None or state.run.done() or state.run.cancelling():
            state.run = asyncio.create_task(self._run(document, document.version, state, token))
            self._runs.add(state.run)
            state.run.add_done_callback(self._runs.discard)
        return await state.run

    async def _run(
        self,
        document: TextDocument,
        version: int | None,
        state: _Open,
        token: lsp.ProgressToken | None,
    ) -> Finding:
        path, source = Path(document.path), document.source

        def found(finding: Finding) -> None:
            if document.version == version:
                state.found, state.version = finding, version
                self._publish(document, finding)

        async with self._turns, progress(self, f"selfdebug: {path.name}", token) as say:
            say("running the tests")

            def failing(finding: Finding) -> None:
                found(finding)
                say(f"{len(finding.failures)} fail; looking for a repair")

            finding = await runs.run(
                path,
                source,
                state.tests,
                folder=self._folder(path),
                settings=self._settings,
                on_failing=failing,
            )
            say(finding.summary)
        found(finding)
        return finding

    def _publish(self, document: TextDocument, finding: Finding | None) -> None:
        shown: list[lsp.Diagnostic] = []
        if finding is not None:
            units = document.position_codec.client_num_units
            shown = answers.diagnostics(finding, document.source, units)
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(document.uri, shown, document.version)
        )

    def known(self, uri: str) -> Finding | None:
        """Return what was found in the text as it is now."""
        state, document = self._open.get(uri), self.workspace.text_documents.get(uri)
        if state is None or document is None or state.version != document.version:
            return None
        return state.found

    def edit(self, uri: str, found: Finding) -> lsp.WorkspaceEdit:
        """Return the edit of the text as it is now to the one that passed the tests."""
        document = self._document(uri)
        units = document.position_codec.client_num_units
        versioned: bool = get_capability(
            self.client_capabilities, "workspace.workspace_edit.document_changes", False
        )
        edits = answers.edits(document.source, found.mended, units)
        return answers.workspace_edit(uri, document.version, edits, versioned=versioned)

    def edited(self, uri: str) -> None:
        """Stop what is of no use any more, now that the text is another one."""
        state, document = self._open.get(uri), self._document(uri)
        if state is None:
            return
        self.stop(uri)
        if state.found is not None and state.found.mended == document.source.replace("\r\n", "\n"):
            state.found = None
            self._publish(document, None)  # this text has passed the tests

    def stop(self, uri: str) -> None:
        """Stop the run in a file."""
        state = self._open.get(uri)
        if state is not None and state.run is not None:
            state.run.cancel()

    def closed(self, uri: str) -> None:
        """Forget a file."""
        self.stop(uri)
        if self._open.pop(uri, None) is not None:
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    async def end(self) -> None:
        """Stop every run, and wait until they have tidied up."""
        for run in self._runs:
            run.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)

    async def saved(self, uri: str) -> None:
        """Run a file's tests; after a save of tests, those of the open files they belong to."""
        document = self._document(uri)
        others = [other for other, state in self._open.items() if _covers(state, document.path)]
        for other in others:
            self.stop(other)
        mine = [] if _is_test(document) else [uri]
        await asyncio.gather(*(self._examine_saved(each) for each in (*others, *mine)))

    async def _examine_saved(self, uri: str) -> None:
        found = await self.examine(uri, again=True)
        state = self._open[uri]
        if found.outcome in {"refused", "unknown"} and found.summary != state.told:
            state.told = found.summary
            self.tell(found)

    async def execute(self, params: lsp.ExecuteCommandParams) -> dict[str, str]:
        """Run, explain or fix: arguments are the document's uri and, where wanted, its tests."""
        uri, tests = self._arguments(params)
        document = self._document(uri)
        state, version = self._open.setdefault(uri, _Open()), document.version
        if tests is not None and tests != state.tests:
            self.stop(uri)
            state.tests, state.found = tests, None
        try:
            found = await self.examine(
                uri, again=params.command == answers.RUN, token=params.work_done_token
            )
        except asyncio.CancelledError:
            if document.version == version:
                raise
        else:
            if document.version == version:
                return await self._answer(params.command, uri, found)
        raise JsonRpcException(_EDITED, lsp.LSPErrorCodes.ContentModified)

    async def _answer(self, command: str, uri: str, found: Finding) -> dict[str, str]:
        if command == answers.FIX and found.mended:
            wanted = lsp.ApplyWorkspaceEditParams(self.edit(uri, found), answers.TITLES[command])
            answer = await self.workspace_apply_edit_async(wanted)
            if not answer.applied:
                reason = answer.failure_reason or "it gives no reason"
                raise JsonRpcException(f"the editor did not take the change: {reason}")
        self.tell(found, answers.explained(found) if command != answers.RUN else "")
        return {
            "outcome": found.outcome,
            "summary": found.summary,
            "explanation": found.explanation,
        }

    def tell(self, found: Finding, text: str = "") -> None:
        """Show a message: what was found, or what is wrong and what to do."""
        kinds = {"refused": lsp.MessageType.Warning, "unknown": lsp.MessageType.Error}
        # Here tests are named by a command, not by an option.
        said = (text or found.summary).replace("with --tests", "with the command selfdebug.run")
        kind = kinds.get(found.outcome, lsp.MessageType.Info)
        self.window_show_message(lsp.ShowMessageParams(kind, f"selfdebug: {said}"))

    def _arguments(self, params: lsp.ExecuteCommandParams) -> tuple[str, str | None]:
        uri, tests = [*(params.arguments or []), None, None][:2]
        if params.command not in answers.TITLES or not isinstance(uri, str):
            raise JsonRpcInvalidParams(f"{params.command}: give the uri of an open file")
        return uri, None if tests is None else str(tests)

    def _document(self, uri: str) -> TextDocument:
        document = self.workspace.text_documents.get(uri)
        if document is None or not uri.startswith("file:"):
            raise JsonRpcInvalidParams(f"{uri} is not an open file on this machine")
        return document

    def _folder(self, path: Path) -> Path:
        """Return the folder that relative paths start from: the workspace's, or the file's."""
        uris = [*self.workspace.folders, self.workspace.root_uri]
        roots = [Path(root) for uri in uris if uri and (root := to_fs_path(uri))]
        return next((root for root in roots if path.is_relative_to(root)), path.parent)


def _covers(state: _Open, path: str) -> bool:
    tests = state.found.tests if state.found is not None else ""
    return bool(tests) and Path(path).is_relative_to(tests)


def _is_test(document: TextDocument) -> bool:
    """Tell whether a file holds tests, or nothing that has any."""
    try:
        return usertests.is_test(sourcefile.unsaved(Path(document.path), document.source))
    except SelfdebugError:
        return True


def create(settings: runs.Settings, *, on_save: bool) -> Server:
    """Return a server that answers an editor. on_save: run the tests at every save."""
    server = Server(settings)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        if on_save:
            await server.saved(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def edited(params: lsp.DidChangeTextDocumentParams) -> None:
        server.edited(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        found = server.known(params.text_document.uri)
        return None if found is None else answers.hover(found, params.position)

    kinds = [lsp.CodeActionKind.QuickFix, answers.SOURCE_ACTION]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(kinds))
    def code_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        lines = range(params.range.start.line, params.range.end.line + 1)
        return list(
            answers.actions(
                server.known(uri), uri, params.context, lines, lambda found: server.edit(uri, found)
            )
        )

    @server.feature(lsp.SHUTDOWN)
    async def shutdown(_: None) -> None:
        await server.end()

    for name in answers.TITLES:
        server.command(name)(_listed)
    return server


async def _listed(*_: Any) -> None:
    """Stand for a command in the list that the editor gets; `Protocol` runs it."""
