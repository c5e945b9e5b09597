"""What a hardened child may and may not do, in each tier, as root and as an ordinary user."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import time
from pathlib import Path

import pytest

from conftest import RunPython
from selfdebug.sandbox import isolation, linux, seccomp

# Enters a worker and runs each piece of source in a hardened child of its own; prints
# {name: outcome}: what `answer` was, or the error, or the signal that ended it.
WORKER = """
import json, os, sys, traceback
from selfdebug.sandbox import isolation
tier, profile, work, extra, cases = sys.argv[1:]
extra = json.loads(extra)
isolation.enter_worker(tier, work, tuple(extra.get("show", ())))
os.chdir(work)
policy = isolation.Policy(tier, profile, write_paths=(work,), **extra.get("policy", {}))
prepared = isolation.prepare(policy._replace(read_paths=tuple(policy.read_paths)))
found = {}
for name, source in json.loads(cases).items():
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            isolation.harden(prepared, (sending,))
            names = {"work": work}
            exec(source, names)
            text = repr(names["answer"])
        except BaseException as error:
            text = type(error).__name__ + ": " + str(error)
        os.write(sending, text[:4000].encode())
        os._exit(0)
    os.close(sending)
    with open(receiving) as stream:
        text = stream.read()
    status = os.waitpid(child, 0)[1]
    found[name] = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else text
    isolation.kill_all(tier)
    found[name + " left"] = os.listdir(work)
    isolation.wipe(work)
found["left"] = os.listdir(work)
print(json.dumps(found), flush=True)
os._exit(0)
"""

TIERS = ("A", "B", "C")


@pytest.fixture
def work(tmp_path: Path) -> str:
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path("/tmp"):
            break
        folder.chmod(0o755)
    path = tmp_path / "work"
    path.mkdir()
    path.chmod(0o777)
    return str(path)


def run_cases(
    run_python: RunPython,
    tier: str,
    work: str,
    cases: dict[str, str],
    profile: str = "candidate",
    **extra: object,
) -> dict[str, str]:
    done = run_python(WORKER, tier, profile, work, json.dumps(extra), json.dumps(cases))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


HONEST = {
    "recursion": ("f = lambda n: n and 1 + f(n - 1)\nanswer = f(900)", "900"),
    "decimals": ("import decimal\nanswer = str(decimal.Decimal(1) / 3)[:5]", "'0.333'"),
    "database": (
        "import sqlite3\nanswer = sqlite3.connect(':memory:').execute('select 2').fetchone()",
        "(2,)",
    ),
    "hashes": ("import hashlib\nanswer = hashlib.sha256(b'').hexdigest()[:6]", "'e3b0c4'"),
    "compression": (
        "import zlib, bz2, lzma\nanswer = zlib.decompress(zlib.compress(b'x'))",
        "b'x'",
    ),
    "time zones": (
        "import zoneinfo, datetime as d\nzone = zoneinfo.ZoneInfo('Europe/Paris')\n"
        "answer = d.datetime(2024, 7, 1, tzinfo=zone).utcoffset().seconds",
        "7200",
    ),
    "threads": (
        "import threading\nanswer = []\n"
        "ts = [threading.Thread(target=answer.append, args=(1,)) for _ in range(20)]\n"
        "[t.start() for t in ts]; [t.join() for t in ts]\nanswer = len(answer)",
        "20",
    ),
    "thread pool": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "answer = list(ThreadPoolExecutor(4).map(abs, [-1, -2]))",
        "[1, 2]",
    ),
    "asyncio": (
        "import asyncio\nasync def f():\n    await asyncio.sleep(0.001)\n    return 5\n"
        "answer = asyncio.run(f())",
        "5",
    ),
    "alarm": (
        "import signal, time\ndef ring(*_): raise TimeoutError\n"
        "signal.signal(signal.SIGALRM, ring); signal.setitimer(signal.ITIMER_REAL, 0.01)\n"
        "try:\n    time.sleep(5); answer = 0\nexcept TimeoutError:\n    answer = 1",
        "1",
    ),
    "files": (
        "import os, shutil, tempfile\nos.mkdir('d'); open('d/a', 'w').write('x')\n"
        "shutil.copy2('d/a', 'b'); os.rename('b', 'd/c'); os.symlink('a', 'd/s')\n"
        "tempfile.tempdir = work\nwith tempfile.TemporaryFile() as f: f.write(b'x')\n"
        "answer = sorted(os.listdir('d'))",
        "['a', 'c', 's']",
    ),
    "null device": ("answer = open('/dev/null', 'w').write('gone')", "4"),
    "random": (
        "import os, secrets\nanswer = len(os.urandom(4)) + len(secrets.token_bytes(4))",
        "8",
    ),
    "own signal": ("import signal\nsignal.raise_signal(signal.SIGTERM)", "signal 15"),
    "abort": ("import os\nos.abort()", "signal 6"),
    "kill itself": ("import os\nos.kill(os.getpid(), 9)", "signal 9"),
}

REFUSED = {
    "socket": "import socket\nsocket.socket()",
    "unix socket": "import socket\nsocket.socket(socket.AF_UNIX)",
    "datagram pair": "import socket\nsocket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "fork": "import os\nos.fork()",
    "daemon": "import os\nif os.fork() == 0:\n    os.setsid()\n    os.fork()",
    "subprocess": "import subprocess\nsubprocess.run(['/bin/true'])",
    "spawn": "import os\nos.posix_spawn('/bin/true', ['true'], {})",
    "exec": "import os\nos.execv('/bin/sh', ['sh', '-c', 'exit 0'])",
    "process": "import multiprocessing as m\nm.get_context('fork').Process(target=print).start()",
    "kill parent": "import os\nos.kill(os.getppid(), 9)",
    "kill everyone": "import os\nos.kill(-1, 9)",
    "kill the group": "import os\nos.kill(0, 9)",
    "stop parent": "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)",
    "owner of a pipe": (
        "import fcntl, os\nr, w = os.pipe()\nfcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())"
    ),
    "parent's memory": "import os\nopen(f'/proc/{os.getppid()}/mem')",
    "own memory by file": "open('/proc/self/mem')",
    "processes": "import os\nassert [p for p in os.listdir('/proc') if p.isdigit()], 'none'",
    "users": "open('/etc/passwd')",
    "write to tmp": "open('/tmp/left-by-a-candidate', 'w')",
    "write to shared memory": "open('/dev/shm/left-by-a-candidate', 'w')",
    "write to root": "open('/left-by-a-candidate', 'w')",
    "change the library": "import os\nopen(os.__file__, 'a')",
    "escape by link": "import os\nos.symlink('/etc', 'e')\nopen('e/passwd')",
    "named pipe": "import os\nos.mkfifo('p')",
    "other user": "import os\nos.setuid(0)",
    "priority": "import os\nos.nice(-5)",
    "processor": "import os\nos.sched_setaffinity(os.getppid(), {0})",
    "parent's limits": "import os, resource as r\nr.prlimit(os.getppid(), r.RLIMIT_CPU, (0, 0))",
    "more memory": "import resource as r\nr.setrlimit(r.RLIMIT_AS, (-1, -1))",
    "core dumps": "import resource as r\nr.setrlimit(r.RLIMIT_CORE, (1, 1))",
    "a large object": "bytearray(1 << 30)",
    "a large file": "open('big', 'wb').truncate(65 << 20)",
    "many files": "keep = [open('/dev/null') for _ in range(300)]",
    "inherited files": "import os\n[os.fstat(fd) for fd in range(3)]",
}


@pytest.mark.parametrize("tier", TIERS)
def test_honest_programs_run(run_python: RunPython, tier: str, work: str) -> None:
    cases = {name: source for name, (source, _) in HONEST.items()}
    found = run_cases(run_python, tier, work, cases)
    assert {name: found[name] for name in HONEST} == {n: e for n, (_, e) in HONEST.items()}


@pytest.mark.parametrize("tier", TIERS)
def test_what_reaches_beyond_the_program_is_refused(
    run_python: RunPython, tier: str, work: str
) -> None:
    cases = {name: f"{source}\nanswer = 'REACHED'" for name, source in REFUSED.items()}
    found = run_cases(run_python, tier, work, cases)
    errors = ("PermissionError", "FileNotFoundError", "OSError", "MemoryError", "ValueError")
    wrong = {name: found[name] for name in REFUSED if not found[name].startswith(errors)}
    assert wrong.pop("processes", "AssertionError: none") == "AssertionError: none"
    assert wrong == {}
    assert found["left"] == []
    for place in ("/tmp", "/dev/shm", "/"):
        assert not os.path.exists(f"{place}/left-by-a-candidate")


@pytest.mark.parametrize("tier", ["A", "C"])
def test_a_worker_has_its_own_pids_network_and_root(
    run_python: RunPython, tier: str, work: str
) -> None:
    source = """
import json, os, sys
from selfdebug.sandbox import isolation
before = {n: os.readlink("/proc/self/ns/" + n) for n in ("user", "net", "mnt", "ipc", "uts", "pid")}
receiving, sending = os.pipe()
outer = os.fork()
if outer == 0:
    isolation.enter_worker(sys.argv[1], sys.argv[2])
    import socket
    with socket.socket() as s:
        try: s.connect(("127.0.0.1", 9)); net = "up"
        except OSError as error: net = error.strerror
    facts = {"pid": os.getpid(), "uid": os.getresuid(), "net": net, "groups": os.getgroups(),
             "root": sorted(os.listdir("/")), "tmp": os.listdir("/tmp")}
    open(os.path.join(sys.argv[2], "mine"), "w").write("x")
    os.write(sending, json.dumps(facts).encode())
    import time; time.sleep(60)
facts = json.loads(os.read(receiving, 9999))
inner = int(open(f"/proc/{outer}/task/{outer}/children").read())
facts["same"] = [n for n in before if os.readlink(f"/proc/{inner}/ns/{n}") == before[n]] \
    if os.geteuid() == 0 else []
status = dict(line.split(":", 1) for line in open(f"/proc/{inner}/status"))
facts["outer uid"] = status["Uid"].split()
facts["capabilities"] = [int(status[c], 16) for c in ("CapPrm", "CapEff", "CapInh", "CapAmb")]
facts["mine"] = os.path.exists(os.path.join(sys.argv[2], "mine"))
os.kill(outer, 9); os.waitpid(outer, 0)
print(json.dumps(facts))
"""
    done = run_python(source, tier, work)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["pid"] == 1
    assert 0 not in facts["uid"]
    assert "0" not in facts["outer uid"]
    assert facts["capabilities"] == [0, 0, 0, 0]
    assert facts["same"] == []
    assert facts["net"] == "Network is unreachable"
    assert not facts["mine"], "the work folder must be private"
    assert not {"home", "var", "opt", "boot", "sys"} & set(facts["root"])


LIFE = """
import os, sys, time
from selfdebug.sandbox import isolation
tier, work, how = sys.argv[1:]
def worker():
    isolation.enter_worker(tier, work)
    if how == "status": os._exit(7)
    if how == "signal": os.kill(os.getpid(), 9) if tier == "B" else os._exit(9)
    os.write(1, b"ready"); time.sleep(60)
child = os.fork()
if child == 0:
    worker()
if how == "orphan":
    time.sleep(0.3); os._exit(0)
if how == "kill":
    time.sleep(0.3); os.kill(child, 9)
print("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("tier", TIERS)
def test_a_workers_exit_status_is_passed_on(run_python: RunPython, tier: str, work: str) -> None:
    assert run_python(LIFE, tier, work, "status").stdout == "status 7\n"


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("how", ["orphan", "kill"])
def test_a_worker_dies_with_its_parent_and_with_its_stub(
    run_python: RunPython, tier: str, work: str, how: str
) -> None:
    # The pipe of stdout ends only when every process that holds it has ended.
    start = time.monotonic()
    done = run_python(LIFE, tier, work, how, timeout=20)
    assert done.stdout.startswith("ready")
    assert time.monotonic() - start < 15


def test_a_worker_outlives_the_thread_that_started_it(run_python: RunPython, work: str) -> None:
    source = """
import os, sys, threading, time, subprocess
script = '''
import sys; sys.path.insert(0, sys.argv[2])
from selfdebug.sandbox import isolation
isolation.enter_worker("A", sys.argv[1])
print("ready", flush=True); sys.stdin.read(1); print("alive", flush=True)
'''
started = []
def start():
    command = [sys.executable, "-S", "-B", "-c", script, sys.argv[1], sys.path[0]]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    started.append(process)
    assert process.stdout.readline() == b"ready\\n"
thread = threading.Thread(target=start); thread.start(); thread.join()
time.sleep(0.8)
print(started[0].communicate(b"x", timeout=10)[0].decode())
"""
    done = run_python(source, work)
    assert done.stdout.strip() == "alive", done.stderr


@pytest.mark.parametrize("tier", ["A", "C"])
def test_kill_all_ends_what_escaped_its_session(
    run_python: RunPython, tier: str, work: str
) -> None:
    source = """
import os, sys, time
from selfdebug.sandbox import isolation
isolation.enter_worker(sys.argv[1], sys.argv[2])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
os.wait(); time.sleep(0.1)
isolation.kill_all(sys.argv[1])
try:
    os.kill(-1, 0)
except ProcessLookupError:
    print("alone")
sys.stdout.flush(); os._exit(0)
"""
    assert run_python(source, tier, work).stdout.strip() == "alone"


def test_wipe_empties_deep_locked_and_odd_trees(tmp_path: Path) -> None:
    os.makedirs(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").write_text("x")
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "a" / "broken").symlink_to("nowhere")
    current = os.open(tmp_path, os.O_RDONLY)
    for _ in range(200):  # deeper than PATH_MAX allows to name
        os.mkdir("d" * 50, dir_fd=current)
        inner = os.open("d" * 50, os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = inner
    os.close(current)
    (tmp_path / "a" / "b").chmod(0)
    (tmp_path / "a").chmod(0)
    tmp_path.chmod(0)
    isolation.wipe(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert os.path.exists("/etc")


@pytest.mark.parametrize("tier", TIERS)
def test_modes_and_times_outside_stay_as_they_are(
    run_python: RunPython, tier: str, work: str, tmp_path: Path
) -> None:
    # Landlock knows no such right, and the file belongs to the user who runs the sandbox.
    tmp_path.chmod(0o777)
    file = tmp_path / "file"
    make = "import os, sys\nopen(sys.argv[1], 'w').close()\nos.chmod(sys.argv[1], 0o600)"
    assert run_python(make, str(file)).returncode == 0
    before = file.stat()
    cases = {
        "mode": f"import os\nos.chmod({str(file)!r}, 0o777)",
        "times": f"import os\nos.utime({str(file)!r}, (1, 1))",
        "copy": "import shutil\nopen('a', 'w').write('x')\nanswer = shutil.copy2('a', 'b')",
    }
    found = run_cases(run_python, tier, work, cases)
    assert found["copy"] == "'b'"
    after = file.stat()
    assert (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)


@pytest.mark.parametrize("tier", ["A", "C"])
def test_a_thread_bomb_meets_its_limit(run_python: RunPython, tier: str, work: str) -> None:
    bomb = """
import threading, time
threading.stack_size(1 << 16)
answer = 0
try:
    while answer < 500:
        threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
        answer += 1
except RuntimeError as error:
    answer = f"stopped before 60: {answer < 60}, {error}"
"""
    found = run_cases(run_python, tier, work, {"bomb": bomb, "after": "answer = 1"})
    assert found["bomb"] == repr("stopped before 60: True, can't start new thread")
    assert found["after"] == "1"


@pytest.mark.parametrize("tier", TIERS)
def test_the_cpu_backstop_kills_whoever_ignores_it(
    run_python: RunPython, tier: str, work: str
) -> None:
    spin = (
        "import signal\n"
        "for s in set(signal.Signals) - {9, 19}: signal.signal(s, signal.SIG_IGN)\n"
        "while True: pass"
    )
    found = run_cases(run_python, tier, work, {"spin": spin}, policy={"cpu_seconds": 1})
    assert found["spin"] == "signal 9"


@pytest.mark.parametrize("tier", TIERS)
def test_the_judge_may_fork_and_nothing_more(run_python: RunPython, tier: str, work: str) -> None:
    cases = {
        "fork": "import os\np = os.fork()\nif p == 0: os._exit(3)\n"
        "answer = os.waitstatus_to_exitcode(os.waitpid(p, 0)[1])",
        "kill its child": "import os, time\np = os.fork()\nif p == 0: time.sleep(9)\n"
        "os.kill(p, 9)\nanswer = os.waitstatus_to_exitcode(os.waitpid(p, 0)[1])",
        "exec": "import os\nos.execv('/bin/sh', ['sh'])",
        "socket": "import socket\nsocket.socket()",
        "kill the zygote": "import os\nos.kill(os.getppid(), 9)\nanswer = 'sent'",
        "namespace": "from selfdebug.sandbox.linux import syscall\nsyscall('clone', 0x10000011)",
    }
    found = run_cases(run_python, tier, work, cases, profile="judge")
    assert found["fork"] == "3"
    assert found["kill its child"] == "-9"
    assert found["exec"].startswith("PermissionError")
    assert found["socket"].startswith("PermissionError")
    assert found["namespace"].startswith("PermissionError")


@pytest.mark.parametrize("tier", TIERS)
def test_a_suite_reads_and_writes_only_what_it_was_given(
    run_python: RunPython, tier: str, work: str, tmp_path: Path
) -> None:
    given, other = tmp_path / "given", tmp_path / "other"
    for folder in (given, other):
        folder.mkdir()
        (folder / "text").write_text(folder.name)
    cases = {
        "read": f"answer = open({str(given / 'text')!r}).read()",
        "write": f"answer = open({str(given / 'text')!r}, 'w')",
        "other": f"answer = open({str(other / 'text')!r}).read()",
        "work": "answer = open('x', 'w').write('y')",
    }
    paths = [str(given)]
    found = run_cases(
        run_python, tier, work, cases, "suite", show=paths, policy={"read_paths": paths}
    )
    assert found["read"] == "'given'"
    assert found["work"] == "1"
    for refused in ("write", "other"):
        assert found[refused].split(":")[0] in {"PermissionError", "FileNotFoundError", "OSError"}


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize("tier", TIERS)
def test_node_runs_but_starts_no_process_and_opens_no_socket(
    run_python: RunPython, tier: str, work: str
) -> None:
    node = os.path.realpath(shutil.which("node") or "")
    script = """
const left = []
const say = (name, value) => left.push(name + '=' + value)
say('sum', [1, 2].reduce((a, b) => a + b))
say('spawn', require('child_process').spawnSync('/bin/true').error?.code)
require('net').connect(9, '127.0.0.1').on('error', error => {
  say('net', error.code)
  new (require('worker_threads').Worker)('', {eval: true}).on('exit', code => {
    say('worker', code)
    console.log(left.join(' '))
  })
})
"""
    case = f"""
import os
os.dup2([int(fd) for fd in range(3, 64) if is_open(fd)][0], 1)
os.execve({node!r}, ["node", "-e", {script!r}], {{}})
"""
    probe = (
        "def is_open(fd):\n    import os\n    try: os.fstat(fd)\n    except OSError: return 0\n"
        "    return 1\n"
    )
    found = run_cases(
        run_python, tier, work, {"node": probe + case}, "node", show=[node],
        policy={"read_paths": [node]},
    )  # fmt: skip
    assert found["node"].strip() == "sum=3 spawn=EPERM net=EPERM worker=0"


def test_an_unknown_tier_is_refused_with_its_name() -> None:
    with pytest.raises(OSError, match="no tier 'E'"):
        isolation.prepare(isolation.Policy("E"))


def test_entering_says_what_was_refused(run_python: RunPython) -> None:
    source = """
from selfdebug.sandbox import isolation
try:
    isolation.enter_worker("A", "/does/not/exist")
except OSError as error:
    print(error)
"""
    assert "cannot enter tier A: " in run_python(source).stdout


ALLOW, KILL, PID = 0x7FFF0000, 0x80000000, 4321


def decide(
    profile: str, number: int, *args: int, arch: int | None = None, own_files: bool = True
) -> int:
    """Interpret a compiled filter as the kernel would; return its verdict."""
    compiled = seccomp.compile_filter(profile, own_files)
    code = bytearray(compiled.instructions)
    for offset in compiled.pid_offsets:
        struct.pack_into("=I", code, offset, PID)
    native = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[os.uname().machine]
    padded = (*args, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=IIQ6Q", number, arch or native, 0, *padded)
    at = accumulator = 0
    while True:
        operation, yes, no, operand = struct.unpack_from("=HBBI", code, 8 * at)
        at += 1
        if operation == 0x06:
            return operand
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x05:
            at += operand
        else:
            holds = {0x15: accumulator == operand, 0x35: accumulator >= operand,
                     0x45: bool(accumulator & operand)}[operation]  # fmt: skip
            at += yes if holds else no


def error(number: int) -> int:
    return 0x00050000 | number


PROFILES = ("candidate", "judge", "suite", "node")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_filter_kills_calls_of_another_architecture(profile: str) -> None:
    i386, arm = 0x40000003, 0x40000028
    assert decide(profile, 20, arch=i386) == decide(profile, 20, arch=arm) == KILL
    if os.uname().machine == "x86_64":
        assert decide(profile, 0x40000000 | 39) == KILL


@pytest.mark.parametrize("profile", PROFILES)
def test_a_filter_decides_every_number(profile: str) -> None:
    verdicts = {decide(profile, number) for number in range(700)}
    assert verdicts <= {ALLOW, error(errno.EPERM), error(errno.ENOSYS), error(errno.ENOTTY)}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "name", ["socket", "connect", "ptrace", "unshare", "setns", "mount", "bpf", "io_uring_setup",
             "process_vm_readv", "keyctl", "userfaultfd", "perf_event_open", "open_by_handle_at",
             "tkill", "capset", "pivot_root", "shmget"],
)  # fmt: skip
def test_no_profile_makes_these_calls(profile: str, name: str) -> None:
    assert decide(profile, linux.NUMBERS[name], 1, 1, 1) == error(errno.EPERM)


@pytest.mark.parametrize("name", ["fchmod", "fchmodat", "utimensat"])
def test_among_files_of_the_user_changes_of_modes_and_times_do_nothing(name: str) -> None:
    number, success_without_the_call = linux.NUMBERS[name], 0x00050000
    assert decide("candidate", number, own_files=True) == ALLOW
    assert decide("candidate", number, own_files=False) == success_without_the_call


def test_what_a_candidates_arguments_decide() -> None:
    def of(name: str, *args: int) -> int:
        return decide("candidate", linux.NUMBERS[name], *args)

    denied = error(errno.EPERM)
    thread, new_user, parent = 0x10000 | 0x3D0F00, 0x10000000, 0x8000
    assert of("clone", thread) == ALLOW
    assert (
        of("clone", 17) == of("clone", thread | new_user) == of("clone", thread | parent) == denied
    )
    assert of("clone3") == error(errno.ENOSYS)
    assert of("kill", PID, 9) == of("tgkill", PID, 1, 9) == ALLOW
    assert of("kill", 1, 9) == of("kill", 2**32 - 1, 9) == of("tgkill", 1, 1, 9) == denied
    assert of("prlimit64", 0) == of("prlimit64", PID) == ALLOW
    assert of("prlimit64", 1) == denied
    assert of("fcntl", 3, 1) == ALLOW
    assert of("fcntl", 3, 8, PID) == of("fcntl", 3, 10, 9) == denied
    assert of("ioctl", 0, 0x5401) == ALLOW
    assert of("ioctl", 0, 0x5412) == error(errno.ENOTTY)  # TIOCSTI: type into a terminal
    assert of("prctl", 15) == ALLOW
    assert of("prctl", 1, 0) == of("prctl", 4, 1) == denied
    assert of("socketpair", 1, 1 | 0x80000) == ALLOW
    assert of("socketpair", 1, 2) == of("socketpair", 2, 1) == of("socketpair", 1, 5) == denied
    assert of("sendto", 3, 1, 1, 0, 0, 0) == ALLOW
    assert of("sendto", 3, 1, 1, 0, 4096, 16) == of("sendto", 3, 1, 1, 0, 1 << 32, 16) == denied


def test_hardening_is_cheap(run_python: RunPython, work: str) -> None:
    source = """
import os, sys, time
from selfdebug.sandbox import isolation
isolation.enter_worker("A", sys.argv[1])
prepared = isolation.prepare(isolation.Policy("A", write_paths=(sys.argv[1],)))
best = 1.0
for _ in range(60):
    receiving, sending = os.pipe()
    if os.fork() == 0:
        start = time.perf_counter()
        isolation.harden(prepared, (sending,))
        os.write(sending, str(time.perf_counter() - start).encode())
        os._exit(0)
    best = min(best, float(os.read(receiving, 99)))
    os.wait(); os.close(receiving); os.close(sending)
print(best, flush=True)
os._exit(0)
"""
    assert float(run_python(source, work).stdout) < 1e-3  # 0.35 ms where it was written
