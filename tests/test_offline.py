"""--offline: Python's own sockets, those of everything below, and the verbs where no network is.

pytest tests/test_offline.py
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from selfdebug import offline
from selfdebug.offline import barrier

ROOT = Path(__file__).resolve().parents[1]
FAR = "192.0.2.1"  # reserved for documentation: nobody has it
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != offline.VARIABLE}

kernel = pytest.mark.skipif(not barrier.available(), reason="the kernel has no seccomp listener")


def python(source, **more):
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60,
        env={**ENVIRONMENT, **more},
    )  # fmt: skip


def selfdebug(*arguments, folder=None, before=(), **more):
    return subprocess.run(
        [*before, sys.executable, "-m", "selfdebug", *map(str, arguments)],
        capture_output=True, text=True, timeout=280, cwd=folder, env={**ENVIRONMENT, **more},
    )  # fmt: skip


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST", "::ffff:127.0.0.1"]
)
def test_this_machine_is_loopback(host):
    assert offline.is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com"]
)
def test_nothing_else_is(host):
    assert not offline.is_loopback(host)


# A way to reach another machine, as Python code, and what the line must name.
WAYS = {
    f"socket.create_connection(('{FAR}', 80))": f"connecting to {FAR}:80",
    f"socket.socket().connect_ex(('{FAR}', 80))": f"connecting to {FAR}:80",
    f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('{FAR}', 9))": f"connecting to {FAR}:9",
    "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))": "connecting to 2001:db8::1:80",
    "socket.getaddrinfo('example.com', 443)": "connecting to example.com:443",
    "socket.gethostbyname('example.com')": "connecting to example.com",
    "urllib.request.urlopen('http://example.com')": "connecting to example.com:80",
    "socket.create_server(('', 0))": "opening a port on every address:0",
}


@pytest.mark.parametrize("way", WAYS)
def test_python_may_not(way):
    done = python(f"import socket, urllib.request\nimport selfdebug\n{way}", SELFDEBUG_OFFLINE="1")
    assert f"OfflineError: --offline forbids {WAYS[way]}: only this" in done.stderr, done.stderr


def test_it_is_off_unless_asked_for():
    source = "import selfdebug, sys; print('selfdebug.offline' in sys.modules)"
    assert python(source).stdout == "False\n"
    assert python(source, SELFDEBUG_OFFLINE="1").stdout == "True\n"


def test_libraries_stay_at_home_and_proxies_are_forgotten():
    names = "HF_HUB_OFFLINE", "https_proxy"
    source = f"import os, selfdebug; print(*(os.environ.get(name) for name in {names}))"
    done = python(source, SELFDEBUG_OFFLINE="1", https_proxy="http://127.0.0.1:3128")
    assert done.stdout == "1 None\n"


# The kernel's part holds a program that knows nothing of selfdebug.
BELOW = """
import subprocess, sys
from selfdebug.offline import barrier
barrier.enter(lambda line: print(line, file=sys.stderr, flush=True))
done = subprocess.run([sys.executable, "-I", "-c", sys.argv[1]])
sys.exit(done.returncode)
"""


def below(source):
    """Run Python that lacks the hook below the kernel's barrier."""
    return subprocess.run(
        [sys.executable, "-c", BELOW, f"import socket\n{source}"],
        capture_output=True, text=True, timeout=60, env=ENVIRONMENT,
    )  # fmt: skip


@kernel
@pytest.mark.parametrize(
    "way",
    [
        f"socket.socket().connect(('{FAR}', 80))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
        f"socket.socket(type=socket.SOCK_DGRAM).connect(('{FAR}', 80))",
        f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('{FAR}', 80))",
        f"socket.socket(type=socket.SOCK_DGRAM).sendmsg([b''], [], 0, ('{FAR}', 80))",
        f"socket.socket().sendto(b'', 0x20000000, ('{FAR}', 80))",  # MSG_FASTOPEN
        "socket.socket(type=socket.SOCK_DGRAM).connect(('127.0.0.53', 53))",
        "socket.socket().bind(('0.0.0.0', 0))",
    ],
)
def test_no_program_below_may(way):
    done = below(way)
    assert "PermissionError: [Errno 13]" in done.stderr
    assert "--offline kept python" in done.stderr
    assert done.returncode == 1


@kernel
def test_kinds_of_sockets_that_could_leave_are_not_there():
    done = below("socket.socket(type=socket.SOCK_RAW)")
    assert "PermissionError: [Errno 13]" in done.stderr


@kernel
def test_this_machine_stays_in_reach_below():
    source = """
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
client.sendall(b"tcp")
print(server.accept()[0].recv(9))
one, two = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
one.bind(("127.0.0.1", 0))
two.sendto(b"udp", one.getsockname())
print(one.recv(9))
left, right = socket.socketpair()
left.sendmsg([b"unix"])
print(right.recv(9))
"""
    done = below(source)
    assert done.stdout.split() == ["b'tcp'", "b'udp'", "b'unix'"], done.stderr


@kernel
def test_the_supervisor_ends_as_its_child_ends():
    assert below("raise SystemExit(7)").returncode == 7
    enter = "import os, signal\nfrom selfdebug.offline import barrier\nbarrier.enter(print)\n"
    assert python(f"{enter}os.kill(os.getpid(), signal.SIGKILL)").returncode == -signal.SIGKILL


@kernel
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_child(number):
    enter = "import time\nfrom selfdebug.offline import barrier\nbarrier.enter(print)\n"
    waiting = f"{enter}print('here', flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", waiting], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=ENVIRONMENT) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=30) == -number
        assert time.monotonic() - started < 20


class Silent(BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_error(404, "no such model")

    def log_message(self, *_):
        pass


def test_a_server_of_this_machine_is_reached(tmp_path):
    server = HTTPServer(("127.0.0.1", 0), Silent)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    done = selfdebug("--offline", "eval", ROOT / "examples/tasks.jsonl", "--backend", "openai",
                     "--option", "model=x", "--option", f"base_url={url}",
                     "--out", tmp_path / "run")  # fmt: skip
    server.shutdown()
    server.server_close()
    assert "404" in done.stderr  # the server's own answer


def test_a_server_elsewhere_is_refused_in_one_line(tmp_path):
    done = selfdebug("--offline", "eval", ROOT / "examples/tasks.jsonl", "--backend", "openai",
                     "--option", "model=x", "--option", "base_url=https://example.com/v1",
                     "--out", tmp_path / "run")  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "selfdebug: --offline forbids connecting to example.com:443: "
        "only this machine may be reached\n"
    )


@pytest.mark.slow
def test_a_model_of_the_hub_is_refused_in_one_line(tmp_path):
    pytest.importorskip("transformers")
    done = selfdebug("--offline", "eval", ROOT / "examples/tasks.jsonl", "--backend",
                     "transformers", "--option", "model=some/model", "--out", tmp_path / "run",
                     HF_HOME=str(tmp_path))  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "selfdebug: there is no folder some/model, and --offline forbids fetching a model from "
        "the hub\n"
    )


def empty_network():
    """The command that runs another where there is no network, not even a loopback that is up."""
    command = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--net"]
    tried = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True)
    if not tried or tried.returncode:
        pytest.skip("no network namespace can be made here")
    return command


@pytest.mark.slow
def test_the_verbs_work_where_no_network_is(tmp_path):
    before = empty_network()
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    file, tests = "examples/moving_average.py", "examples/test_moving_average.py"
    for arguments in (
        ("doctor",),
        ("fix", file, "--tests", tests),
        ("eval", "demo", "--limit", "1", "--out", "runs/demo"),
    ):
        done = selfdebug("--offline", *arguments, folder=tmp_path, before=before)
        assert done.returncode == 0, (arguments, done.stderr)


CONNECTED = re.compile(r"(connect|sendto|sendmsg)\(.*sin6?_addr.*\) += (0|[1-9]\d*|-1 EINPROGRESS)")
LOOPBACK = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"')


@pytest.mark.slow
def test_no_verb_connects_to_another_machine(tmp_path):
    """Watched from outside, where there is a network: strace sees every call of every process."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    before = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", tmp_path / "calls"]
    probe = [*before, "true"]
    if subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("strace may not watch processes here")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for arguments in (
        ("fix", "examples/moving_average.py", "--tests", "examples/test_moving_average.py"),
        ("eval", "demo", "--limit", "1", "--out", "runs/demo"),
    ):
        done = selfdebug("--offline", *arguments, folder=tmp_path, before=before)
        assert done.returncode == 0, (arguments, done.stderr)
        calls = (tmp_path / "calls").read_text().splitlines()
        assert any("connect(" in line for line in calls)  # the sandbox's probes, which must fail
        assert not [x for x in calls if CONNECTED.search(x) and not LOOPBACK.search(x)]
