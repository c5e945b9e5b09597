"""The probes: every barrier holds in tiers A to C, and one that is taken away is missed by name."""

from __future__ import annotations

import json
import time

import pytest

from conftest import RunPython
from selfdebug.sandbox import probes

PROBE = """
import json, sys
from selfdebug.sandbox import isolation, landlock, linux, namespaces, probes, seccomp
tier, sabotage = sys.argv[1:]
exec(sabotage)
print(json.dumps([check for check in probes.attack(tier, "/") if not check[1]]))
"""

NOTHING = "lambda *args: None"
ALL_ATTACKS = set(probes.ATTACKS)


def broken(run_python: RunPython, tier: str, sabotage: str = "") -> dict[str, str]:
    done = run_python(PROBE, tier, sabotage)
    assert done.returncode == 0, done.stderr
    return {name: detail for name, _, detail in json.loads(done.stdout)}


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_every_barrier_holds_here(run_python: RunPython, tier: str) -> None:
    assert broken(run_python, tier) == {}


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_without_seccomp_the_probe_says_so(run_python: RunPython, tier: str) -> None:
    missed = broken(run_python, tier, f"seccomp.install = {NOTHING}")
    assert {"fork", "death with the harness", "system calls"} <= set(missed)
    assert "unshare" in missed["system calls"]
    assert "memfd_create" in missed["system calls"]


def test_without_landlock_tier_b_leaks_files(run_python: RunPython) -> None:
    missed = broken(run_python, "B", f"landlock.restrict = {NOTHING}")
    assert {"reading outside", "writing outside", "other processes"} <= set(missed)


def test_without_seccomp_and_landlock_tier_b_leaks_the_network_and_its_parent(
    run_python: RunPython,
) -> None:
    sabotage = f"seccomp.install = landlock.restrict = {NOTHING}"
    missed = set(broken(run_python, "B", sabotage))
    assert {"TCP", "UDP", "abstract sockets", "exec", "signals", "limits of others"} <= missed


def test_without_its_own_root_tier_c_leaks_files(run_python: RunPython) -> None:
    sabotage = f"namespaces._change_root = {NOTHING}"
    missed = set(broken(run_python, "C", sabotage))
    assert {"reading outside", "writing outside"} <= missed


def test_without_rlimits_the_probe_says_so(run_python: RunPython) -> None:
    missed = set(broken(run_python, "A", "isolation._limits = lambda policy: ()"))
    assert {"memory limit", "file size limit"} <= missed


def test_open_files_and_environment_are_missed_too(run_python: RunPython) -> None:
    sabotage = (
        f"isolation._close_all_but = {NOTHING}\nimport os\nos.environ['API_KEY'] = 'a secret'"
    )
    assert set(broken(run_python, "A", sabotage)) == {"open files", "environment"}


def test_a_tier_in_which_honest_programs_cannot_work_is_not_chosen(run_python: RunPython) -> None:
    sabotage = "isolation.paths.python_paths = lambda: ()"
    assert set(broken(run_python, "B", sabotage)) >= {"honest work"}


def test_outside_the_sandbox_the_attacks_succeed(run_python: RunPython) -> None:
    missed = set(broken(run_python, "D", "isolation._limits = lambda policy: ()"))
    needs_more_than_a_user = {"lifting limits", "x32 system calls", "32-bit system calls"}
    held = ALL_ATTACKS - missed - needs_more_than_a_user
    assert held <= {"environment", "open files"}, "the next test shows these two"


def test_a_worker_that_cannot_be_entered_is_a_barrier_that_does_not_hold(
    run_python: RunPython,
) -> None:
    sabotage = (
        "def refuse(*args, **kwargs): raise OSError(1, 'no user namespaces here')\n"
        "isolation.enter_worker = refuse"
    )
    assert broken(run_python, "A", sabotage) == {"set-up": "[Errno 1] no user namespaces here"}


def test_an_attack_that_ends_unexpectedly_is_a_barrier_that_does_not_hold(
    run_python: RunPython,
) -> None:
    sabotage = "probes.ATTACKS = {'odd': lambda targets: 1 / 0}"
    assert broken(run_python, "A", sabotage) == {
        "odd": "faulty: ZeroDivisionError('division by zero')"
    }


def test_the_strongest_tier_is_chosen_and_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pretend(tier: str) -> probes.Report:
        return probes.Report(tier, (probes.Check("TCP", tier == "C", "it connected"),))

    monkeypatch.setattr(probes, "probe", pretend)
    probes.best_tier.cache_clear()
    report = probes.best_tier()
    assert report.tier == "C"
    assert [check.name for check in report.missing] == ["tier A: TCP", "tier B: TCP"]
    probes.best_tier.cache_clear()


def test_where_nothing_holds_the_tier_is_d(monkeypatch: pytest.MonkeyPatch) -> None:
    def pretend(tier: str) -> probes.Report:
        return probes.Report(tier, (probes.Check("fork", False, "the attack succeeded"),))

    monkeypatch.setattr(probes, "probe", pretend)
    probes.best_tier.cache_clear()
    assert probes.best_tier().tier == "D"
    assert len(probes.best_tier().missing) == 3
    probes.best_tier.cache_clear()


def test_probing_here_is_quick_and_asked_once() -> None:
    probes.best_tier.cache_clear()
    start = time.perf_counter()
    report = probes.best_tier()
    elapsed = time.perf_counter() - start
    assert report.tier != "D", report.missing
    assert elapsed < 3.0  # 0.1 s of processor time where it was written
    start = time.perf_counter()
    assert probes.best_tier() is report
    assert time.perf_counter() - start < 0.001
