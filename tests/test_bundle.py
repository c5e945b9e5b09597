"""The bundle: what it holds, what it refuses, and that it installs where no network is.

pytest tests/test_bundle.py
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from selfdebug import bundle
from selfdebug.bundle import wheels
from selfdebug.types import SelfdebugError

ROOT = Path(__file__).resolve().parents[1]


def fetch(folder, extras, python, platform):
    """The own wheel alone: no index is asked."""
    (folder / wheels.FOLDER).mkdir(exist_ok=True)
    wheels.own(folder / wheels.FOLDER)


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def request_(model):
    return bundle.Request(models=(str(model),), data=(str(ROOT / "examples" / "tasks.jsonl"),))


@pytest.fixture
def made(tmp_path, request_):
    bundle.make(tmp_path / "bundle", request_, fetch)
    return tmp_path / "bundle"


def test_it_holds_wheels_models_data_and_a_hash_for_each_file(made):
    names = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert names == {
        "SHA256SUMS", "bundle.toml", "install.sh", "requirements.txt", "data/tasks.jsonl",
        "models/small/config.json", "models/small/model.safetensors",
        "wheels/selfdebug-0.1.0-py3-none-any.whl",
    }  # fmt: skip
    assert bundle.verify(made) == []
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=made)
    assert done.returncode == 0


def test_a_file_that_was_changed_added_or_lost_is_named(made):
    (made / "models" / "small" / "model.safetensors").write_bytes(b"other weights")
    (made / "data" / "tasks.jsonl").unlink()
    (made / "wheels" / "rich-99-py3-none-any.whl").write_bytes(b"")
    assert bundle.verify(made) == [
        "data/tasks.jsonl is missing",
        "wheels/rich-99-py3-none-any.whl was added",
        "models/small/model.safetensors was changed",
    ]


def test_the_same_request_makes_the_same_bundle_and_only_verifies_a_whole_one(
    tmp_path, request_, made
):
    def never(*_):
        raise AssertionError

    digest = bundle.make(made, request_, never)
    assert digest == bundle.digest(made / "SHA256SUMS")
    assert bundle.make(tmp_path / "other", request_, fetch) == digest
    (made / "install.sh").write_text("echo hello\n")
    with pytest.raises(SelfdebugError, match=r"install\.sh was changed; delete it"):
        bundle.make(made, request_, never)


def test_a_half_written_bundle_is_refused_and_goes_on(tmp_path, request_):
    folder = tmp_path / "bundle"

    def killed(*arguments):
        fetch(*arguments)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bundle.make(folder, request_, killed)
    with pytest.raises(SelfdebugError, match="is half-written: give the command that began it"):
        bundle.verify(folder)
    done = subprocess.run(
        ["sh", bundle.__path__[0] + "/install.sh"], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 1
    assert "half-written" in done.stderr
    bundle.make(folder, request_, fetch)
    assert bundle.verify(folder) == []


def test_other_options_and_other_folders_are_refused(tmp_path, made):
    with pytest.raises(SelfdebugError, match="begun with other options"):
        bundle.make(made, bundle.Request(extras=("train",)), fetch)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(SelfdebugError, match="is there and is no bundle"):
        bundle.make(tmp_path / "mine", bundle.Request(), fetch)
    with pytest.raises(SelfdebugError, match="is no bundle: there is no SHA256SUMS"):
        bundle.verify(tmp_path / "mine")


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (bundle.Request(models=("nowhere",)), "nowhere is not the folder of a model"),
        (bundle.Request(data=("nowhere.jsonl",)), "there is no file nowhere.jsonl"),
        (bundle.Request(data=("humanevil",)), "did you mean humaneval"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_written(tmp_path, request_, complaint):
    with pytest.raises(SelfdebugError, match=complaint):
        bundle.make(tmp_path / "bundle", request_, fetch)
    assert not (tmp_path / "bundle").exists()


def test_an_extra_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SelfdebugError, match="no extra 'trian': there are bench, "):
        wheels.fetch(tmp_path, ("trian",), "", "")


def test_the_own_wheel_holds_the_running_package(tmp_path):
    with zipfile.ZipFile(wheels.own(tmp_path)) as wheel:
        names = set(wheel.namelist())
        assert (
            wheel.read("selfdebug/types.py")
            == Path(bundle.__file__).parents[1].joinpath("types.py").read_bytes()
        )
    assert {"selfdebug/bundle/install.sh", "selfdebug-0.1.0.dist-info/RECORD"} <= names
    assert not [name for name in names if "__pycache__" in name]


def test_two_versions_of_one_wheel_are_refused(tmp_path):
    (tmp_path / "wheels").mkdir()
    for version in ("1.0", "2.0"):
        (tmp_path / "wheels" / f"rich-{version}-py3-none-any.whl").touch()
    with pytest.raises(SelfdebugError, match=r"holds rich-1\.0-.* and rich-2\.0-"):
        wheels.requirements(tmp_path)


@pytest.mark.slow
def test_it_installs_and_mends_where_no_network_is(tmp_path):
    empty = ["unshare", "--net"]
    tried = shutil.which("unshare") and subprocess.run([*empty, "true"], capture_output=True)
    if not tried or tried.returncode:
        empty = ["unshare", "--user", "--map-root-user", "--net"]
        if subprocess.run([*empty, "true"], capture_output=True).returncode:
            pytest.skip("no network namespace can be made here")
    folder, environment = tmp_path / "bundle", tmp_path / "environment"
    made = subprocess.run(
        [sys.executable, "-m", "selfdebug", "bundle", str(folder)], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    install = [*empty, "env", f"PYTHON={sys.executable}", "sh", str(folder / "install.sh")]
    done = subprocess.run([*install, str(environment)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    program = [str(environment / "bin" / "selfdebug"), "--offline"]
    # An installed selfdebug makes a bundle too: the same wheel again.
    assert subprocess.run(
        [str(environment / "bin" / "python"), "-c",
         "import sys, pathlib; from selfdebug.bundle import wheels\n"
         "wheels.own(pathlib.Path(sys.argv[1]))", str(tmp_path)]
    ).returncode == 0  # fmt: skip
    wheel = "selfdebug-0.1.0-py3-none-any.whl"
    inside = [
        sorted(zipfile.ZipFile(p).namelist()) for p in (tmp_path / wheel, folder / "wheels" / wheel)
    ]
    assert inside[0] == inside[1]
    task = "examples/tasks.jsonl"
    judged = subprocess.run(
        [*empty, *program, "run", "examples/moving_average.py", "--tests", task],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert "1 of 3 tests pass" in judged.stdout, judged.stderr
    # A wheel that is changed on the way is found, named and not installed.
    path = folder / "wheels" / wheel
    path.write_bytes(path.read_bytes() + b"x")
    refused = subprocess.run([*install, str(tmp_path / "never")], capture_output=True, text=True)
    assert refused.returncode == 1
    assert f"wheels/{wheel}: FAILED" in refused.stdout
    assert not (tmp_path / "never").exists()
