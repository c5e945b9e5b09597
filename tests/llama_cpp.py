"""A running llama.cpp server for tests, from a wheel; without the wheel they skip."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def served(weights: Path, context: int = 512, *, drafting: bool = False) -> Iterator[str]:
    """Serve a GGUF file and give the address of llama.cpp's own HTTP server.

    drafting: as `llama-server --spec-type ngram-simple` does.
    """
    llama: Any = pytest.importorskip("xllamacpp", reason="no llama.cpp: pip install xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel = context, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_gpu_layers, params.warmup, params.verbosity = 0, False, -1
    params.cache_ram_mib = 0
    if drafting:
        kinds = llama.common_speculative_type
        params.speculative.types = [kinds.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
    server = llama.Server(params)
    try:
        yield server.listening_address
    finally:
        del server


def ask(address: str, path: str, **body: Any) -> Any:
    """Post JSON to a server."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())
