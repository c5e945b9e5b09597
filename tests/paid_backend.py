"""A backend that writes a bill, a line for each reply: to count what is paid for, and by whom.

A reply depends on the request, the seed and its number alone. Options: bill, the file, and
seconds, how long each call takes.
"""

import json
import os
import time
from random import Random

from selfdebug import prompts
from selfdebug.types import code_sha


class Paid:
    name = "paid"

    def __init__(self, bill, seconds="0"):
        self.bill, self.seconds = bill, float(seconds)

    def sample(self, requests, n, sampling):
        time.sleep(self.seconds)
        lines = [
            f"{json.dumps([os.getpid(), r.task.id, code_sha(r.broken), sampling.seed, number])}\n"
            for r in requests
            for number in range(n)
        ]
        with open(self.bill, "ab", buffering=0) as bill:
            bill.write("".join(lines).encode())
        return [[self.reply(r, sampling.seed, number) for number in range(n)] for r in requests]

    def reply(self, request, seed, number):
        rng = Random(f"{request.task.id} {request.broken} {seed} {number}")
        code = f"```python\ndef f(a, b):\n    return a {rng.choice('+-*')} b\n```"
        text = code if request.mode == "generate" else f"Operator {rng.random()}.\n\n{code}"
        return prompts.parse("python", text, entry_point="f")


def create(judge, **options):
    return Paid(**options)
