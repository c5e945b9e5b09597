"""A server of `selfdebug serve` in a thread, for the tests that ask it something."""

import threading
import time
from contextlib import contextmanager

import httpx

from selfdebug.interfaces.serving import Serving, Settings
from selfdebug.sandbox import Sandbox


@contextmanager
def served(**settings):
    """Yield the server; it has a free port."""
    with Sandbox(workers=1) as sandbox:
        serving = Serving(Settings(**{"port": 0, "seconds": 120.0, **settings}), sandbox)
        serving.sandbox = sandbox
        thread = threading.Thread(target=serving.run)
        thread.start()
        until = time.monotonic() + 60
        while not serving.server.started and time.monotonic() < until:
            time.sleep(0.01)
        try:
            with httpx.Client(base_url=serving.address, timeout=120) as http:
                serving.http = http
                yield serving
        finally:
            serving.server.should_exit = True
            thread.join(60)
        assert not thread.is_alive()
