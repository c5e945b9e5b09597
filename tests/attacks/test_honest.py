"""Right programs are not failed for doing unusual things: the other half of every barrier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import dedent

import pytest

from selfdebug.sandbox import Sandbox
from selfdebug.types import Task, Test

# name: (program, tests that call f)
PROGRAMS: dict[str, tuple[str, list[str]]] = {
    "recursion": (
        """
        def f(n): return 1 if n < 2 else n * f(n - 1)
        """,
        ["assert f(500) % 1000003 == 0 or f(5) == 120"],
    ),
    "deep recursion": (
        """
        import sys
        sys.setrecursionlimit(20_000)
        def f(n): return 0 if n == 0 else 1 + f(n - 1)
        """,
        ["assert f(9_000) == 9_000"],
    ),
    "generators": (
        """
        def f(n):
            yield from (i * i for i in range(n))
        """,
        ["assert list(f(4)) == [0, 1, 4, 9]", "assert sum(f(4)) == 14", "assert 9 in f(4)"],
    ),
    "infinite generator": (
        """
        import itertools
        def f(): return itertools.count(5)
        """,
        ["import itertools\nassert list(itertools.islice(f(), 3)) == [5, 6, 7]"],
    ),
    "dataclass": (
        """
        from __future__ import annotations
        from dataclasses import dataclass, field
        @dataclass(order=True)
        class P:
            x: int
            tags: list[str] = field(default_factory=list)
        def f(x): return P(x, ['a'])
        """,
        ["p = f(3)\nassert p.x == 3 and p.tags == ['a']", "assert P(2).x == 2"],
    ),
    "named tuple": (
        """
        from collections import namedtuple
        P = namedtuple('P', 'x y')
        def f(x): return P(x, 1)
        """,
        ["assert f(3) == (3, 1)"],
    ),
    "counter and default dict": (
        """
        from collections import Counter, defaultdict
        def f(s):
            d = defaultdict(int)
            for c in s: d[c] += 1
            return d, Counter(s), d == Counter(s)
        """,
        ["a, b, c = f('aab')\nassert a == b == {'a': 2, 'b': 1} and c"],
    ),
    "big ints": (
        "def f(n): return 3 ** n",
        [
            "assert f(10_000) == 3 ** 10_000",
            "assert len(str(f(2_000))) == 955",
            "assert f(20_000) % 10 == 1",
        ],
    ),
    "in place": (
        "def f(xs): xs.sort(reverse=True)",
        ["xs = [1, 3, 2]\nassert f(xs) is None\nassert xs == [3, 2, 1]"],
    ),
    "in place, in a dict": (
        "def f(d): d['n'] = d.get('n', 0) + 1",
        ["d = {}\nf(d)\nf(d)\nassert d == {'n': 2}"],
    ),
    "closures": (
        """
        def f(n):
            def add(x):
                nonlocal n
                n += x
                return n
            return add
        """,
        ["g = f(1)\nassert g(2) == 3\nassert g(2) == 5", "assert callable(f(1))"],
    ),
    "callbacks": (
        "def f(g, xs): return [g(x) for x in xs if g(x)]",
        ["assert f(lambda x: x - 1, [1, 2, 3]) == [1, 2]", "assert f(str, [1]) == ['1']"],
    ),
    "decimal and fraction": (
        """
        from decimal import Decimal, getcontext
        from fractions import Fraction
        getcontext().prec = 30
        def f(x): return Decimal(x) / 3, Fraction(x, 3)
        """,
        [
            "from decimal import Decimal\nfrom fractions import Fraction\n"
            "assert f(6) == (Decimal(2), Fraction(2))"
        ],
    ),
    "dates": (
        """
        import datetime, calendar, time
        def f(y): return datetime.date(y, 2, calendar.monthrange(y, 2)[1]).isoformat()
        time.localtime()
        """,
        ["assert f(2024) == '2024-02-29'"],
    ),
    "float formatting": (
        "def f(x): return f'{x:.2f}|{x:e}|{x!r}|{x:>8.1f}|{round(x, 1)}'",
        ["assert f(0.1 + 0.2) == '0.30|3.000000e-01|0.30000000000000004|     0.3|0.3'"],
    ),
    "nan and inf": (
        "def f(): return [float('inf'), -float('inf'), float('nan'), -0.0]",
        ["import math\na, b, c, d = f()\nassert a == -b and math.isnan(c) and str(d) == '-0.0'"],
    ),
    "complex and bytes": (
        "def f(x): return complex(x, -1), bytes([x]), bytearray(b'ab'), range(x), frozenset([x])",
        ["assert f(3) == (3 - 1j, b'\\x03', bytearray(b'ab'), range(3), frozenset([3]))"],
    ),
    "tuples as keys": (
        "def f(n): return {(i, i + 1): {i} for i in range(n)}",
        ["assert f(2) == {(0, 1): {0}, (1, 2): {1}}"],
    ),
    "unicode": (
        "def f(s): return s[::-1] + 'é\U0001f600\\u200b\\x00'",
        ["assert f('żó') == 'óżé\U0001f600\\u200b\\x00'"],
    ),
    "prints a lot": (
        """
        import sys
        def f(n):
            for i in range(n): print('line', i)
            print('warning', file=sys.stderr)
            sys.stdout.write('end')
            return n
        """,
        ["assert f(20_000) == 20_000"],
    ),
    "large result": ("def f(n): return list(range(n))", ["assert f(100_000)[-1] == 99_999"]),
    "threads": (
        """
        import threading, queue
        from concurrent.futures import ThreadPoolExecutor
        def f(n):
            done = queue.Queue()
            threads = [threading.Thread(target=done.put, args=(i,)) for i in range(n)]
            for t in threads: t.start()
            for t in threads: t.join()
            with ThreadPoolExecutor(4) as pool:
                return sum(pool.map(abs, range(-n, 0))) + done.qsize()
        """,
        ["assert f(8) == 44"],
    ),
    "asyncio": (
        """
        import asyncio
        async def one(x):
            await asyncio.sleep(0)
            return x
        async def many(n): return sum(await asyncio.gather(*(one(i) for i in range(n))))
        def f(n): return asyncio.run(many(n))
        """,
        ["assert f(5) == 10"],
    ),
    "seeded random": (
        """
        import random
        def f(): return [random.Random(1).random() == random.Random(1).random(), random.seed(3)]
        """,
        ["assert f() == [True, None]"],
    ),
    "caches": (
        """
        from functools import lru_cache, reduce, partial, cached_property
        @lru_cache(maxsize=None)
        def f(n): return n if n < 2 else f(n - 1) + f(n - 2)
        """,
        ["assert f(80) == 23416728348467685"],
    ),
    "regular expressions": (
        """
        import re
        def f(s): return re.findall(r'(?P<w>\\w+)@', s), re.compile('a').sub('b', s)
        """,
        ["assert f('ab@cd@') == (['ab', 'cd'], 'bb@cd@')"],
    ),
    "heap, bisect, itertools": (
        """
        import heapq, bisect, itertools, operator, string, statistics, textwrap
        def f(xs):
            heapq.heapify(xs)
            return [heapq.heappop(xs), bisect.bisect([1, 3], 2), *itertools.accumulate([1, 2])]
        """,
        ["assert f([3, 1, 2]) == [1, 1, 1, 3]"],
    ),
    "numerical modules": (
        """
        import math, cmath, statistics, fractions, array, struct, hashlib, zlib, base64, json, copy
        def f(s): return hashlib.md5(s.encode()).hexdigest(), struct.pack('>I', 1), math.comb(5, 2)
        """,
        ["assert f('a') == ('0cc175b9c0f1b6a831c399e269772661', b'\\0\\0\\0\\1', 10)"],
    ),
    "late imports": (
        """
        def f():
            import sqlite3, xml.etree.ElementTree as E, email.message, uuid, difflib, graphlib
            import html.parser, urllib.parse, configparser, pprint, secrets, locale, pathlib
            rows = sqlite3.connect(':memory:').execute('select 1 + 1').fetchall()
            return rows, E.fromstring('<a>b</a>').text, urllib.parse.quote('a b')
        """,
        ["assert f() == ([(2,)], 'b', 'a%20b')"],
    ),
    "scratch files": (
        """
        import os, tempfile, pathlib
        def f(text):
            with open('scratch.txt', 'w') as file: file.write(text)
            with tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / 'a').write_text(text)
            return open('scratch.txt').read() + os.linesep
        """,
        ["assert f('x') == 'x\\n'", "assert f('yy') == 'yy\\n'"],
    ),
    "metaclasses and descriptors": (
        """
        class Meta(type):
            def __call__(cls, *args):
                made = super().__call__(*args)
                made.tag = cls.__name__
                return made
        class C(metaclass=Meta):
            __slots__ = ('x', 'tag')
            def __init__(self, x): self.x = x
            @property
            def twice(self): return self.x * 2
            def __len__(self): return self.x
            def __getitem__(self, i): return [self.x][i]
            def __iter__(self): return iter([self.x])
            def __add__(self, other): return C(self.x + other.x)
            def __enter__(self): return self
            def __exit__(self, *_): self.x = 0
        def f(x): return C(x)
        """,
        [
            "c = f(2)\nassert (c.twice, c.tag, len(c), c[0], list(c)) == (4, 'C', 2, 2, [2])",
            "assert (f(1) + f(2)).x == 3",
            "with f(3) as c:\n    assert c.x == 3\nassert c.x == 0",
        ],
    ),
    "stateful class": (
        """
        class f:
            total = 0
            def __init__(self, start=0): self.items = [start]
            def push(self, x):
                self.items.append(x)
                f.total += x
                return self
            @classmethod
            def made(cls): return cls.total
            @staticmethod
            def twice(x): return 2 * x
        """,
        ["s = f(1)\ns.push(2).push(3)\nassert s.items == [1, 2, 3]\nassert s.total == 5"],
    ),
    "exceptions of its own": (
        """
        class Odd(ValueError):
            def __init__(self, n): super().__init__(f'{n} is odd')
        def f(n):
            try:
                if n % 2: raise Odd(n)
                return n
            finally: n = None
        """,
        [
            "try:\n    f(3)\n    assert False\nexcept Odd as e:\n    assert str(e) == '3 is odd'",
            "try:\n    f(3)\n    assert False\nexcept ValueError:\n    pass\nassert f(2) == 2",
        ],
    ),
    "recovers from an error": (
        """
        def f(n):
            try: return f(n + 1)
            except RecursionError: return 'recovered'
        """,
        ["assert f(0) == 'recovered'"],
    ),
    "recovers from lack of memory": (
        """
        def f():
            try: return len(bytearray(1 << 40))
            except MemoryError: return -1
        """,
        ["assert f() == -1"],
    ),
    "helpers with the judge's names": (
        """
        def decode(x): return x
        encode = call = load = request = handle = Engine = decode
        class Channel: pass
        def main(): raise SystemExit(1)
        def f(x): return decode(x)
        if __name__ == '__main__': main()
        """,
        ["assert f(3) == 3"],
    ),
    "names like builtins": (
        """
        def sum(xs): return len(xs)
        def f(xs):
            list, max = xs, sum(xs)
            return max, list
        """,
        ["assert f([5, 5]) == (2, [5, 5])", "assert sum([5, 5]) == 10"],
    ),
    "global state": (
        """
        calls = []
        def f(x):
            calls.append(x)
            return len(calls)
        """,
        ["assert f(1) == 1 and f(1) == 2", "assert f(1) == 3"],
    ),
    "keywords and defaults": (
        "def f(a, /, b=2, *args, c=3, **kw): return [a, b, args, c, kw]",
        [
            "assert f(1, c=5, d=6) == [1, 2, (), 5, {'d': 6}]",
            "assert f(1, 2, 3) == [1, 2, (3,), 3, {}]",
        ],
    ),
    "match and walrus": (
        """
        def f(x):
            match x:
                case [a, *rest] if (n := len(rest)) > 1: return a, n
                case {'k': v}: return v
                case _: return None
        """,
        ["assert f([1, 2, 3]) == (1, 2)", "assert f({'k': 5}) == 5", "assert f(7) is None"],
    ),
    "type hints": (
        """
        from typing import *
        T = TypeVar('T')
        class Box(Generic[T]):
            def __init__(self, x: T) -> None: self.x = x
        def f(x: Optional[List[int]] = None) -> 'Box[int]': return Box(x)
        """,
        ["assert f([1]).x == [1]"],
    ),
    "introspection": (
        """
        import inspect, sys, gc, traceback
        def f(x):
            frame = inspect.currentframe()
            gc.collect()
            lines = inspect.getsource(f).splitlines()
            return frame.f_code.co_name, lines[0], len(traceback.format_stack()) > 0
        """,
        ["assert f(1) == ('f', 'def f(x):', True)"],
    ),
    "signals": (
        """
        import signal, time
        def ring(*_): raise TimeoutError
        def f(seconds):
            signal.signal(signal.SIGALRM, ring)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try: time.sleep(2)
            except TimeoutError: return 'rang'
        """,
        ["assert f(0.01) == 'rang'"],
    ),
    "string of code": (
        "def f(s): return eval(compile(s, '<f>', 'eval')), exec('y = 3') or 1",
        ["assert f('1 + 1') == (2, 1)"],
    ),
    "enums": (
        """
        from enum import Enum, IntEnum
        class Color(IntEnum):
            RED = 1
        class Kind(Enum):
            A = 'a'
        def f(): return Color.RED, Kind.A.value
        """,
        ["assert f() == (1, 'a')"],
    ),
    "arrays and deques": (
        """
        from collections import deque, OrderedDict
        def f(n):
            d = deque(range(n), maxlen=2)
            d.rotate(1)
            return d, OrderedDict(a=1)
        """,
        ["a, b = f(4)\nassert list(a) == [3, 2] and b == {'a': 1}"],
    ),
    "platform": (
        "import os, platform, sys\ndef f(): return os.getpid() > 0 and os.cpu_count() > 0",
        ["assert f() is True"],
    ),
}


@pytest.fixture(scope="module", params=["A", "B", "C"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(workers=1, tier=request.param) as box:
        yield box


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_passes(sandbox: Sandbox, name: str) -> None:
    code, bodies = PROGRAMS[name]
    tests = tuple(Test(str(number), "program", body) for number, body in enumerate(bodies))
    verdict = sandbox.judge(Task(name, "python", "", "f", tests), dedent(code))
    assert verdict.passed, [(r.status, r.message, r.got) for r in verdict.results]


@pytest.mark.parametrize(
    ("name", "code"),
    {
        "input": "print(sum(map(int, input().split())))",
        "lines": "import sys\nprint(sum(int(x) for line in sys.stdin for x in line.split()))",
        "buffer": (
            "import sys\nnumbers = map(int, sys.stdin.buffer.read().split())\n"
            "sys.stdout.buffer.write(b'%d\\n' % sum(numbers))"
        ),
        "descriptor": "import os\nprint(sum(map(int, os.read(0, 999).split())))",
        "open": "print(sum(map(int, open(0).read().split())))",
        "main": (
            "def main():\n    print(sum(map(int, input().split())))\n"
            "if __name__ == '__main__':\n    main()"
        ),
        "exit": "import sys\nprint(sum(map(int, input().split())))\nsys.exit()",
        "hard exit": "import os\nprint(sum(map(int, input().split())), flush=True)\nos._exit(0)",
        "thread": (
            "import threading, sys\nthreading.stack_size(1 << 26)\nsys.setrecursionlimit(1 << 20)\n"
            "def main(): print(sum(map(int, input().split())))\n"
            "t = threading.Thread(target=main)\nt.start()\nt.join()"
        ),
        "extra spaces": "print(sum(map(int, input().split())), '  ')\nprint()",
    }.items(),
)
def test_a_right_script_passes(sandbox: Sandbox, name: str, code: str) -> None:
    bodies = [{"stdin": "1 2 3\n", "stdout": "6\n"}, {"stdin": "40 2", "stdout": "42"}]
    tests = tuple(Test(str(n), "stdio", json.dumps(body)) for n, body in enumerate(bodies))
    verdict = sandbox.judge(Task(name, "python", "", "", tests), code)
    assert verdict.passed, [(r.status, r.message, r.got) for r in verdict.results]
    wrong = sandbox.judge(Task(name, "python", "", "", tests), code.replace("sum(", "max("))
    assert [result.status for result in wrong.results] == ["wrong", "wrong"]
