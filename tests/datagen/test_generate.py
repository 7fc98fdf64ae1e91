import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from commands import call, environment

from datagen import dataset, generate, shards, summary
from datagen.__main__ import main
from datagen.errors import DataError, ShardError, SpecError
from datagen.lines import Texts
from datagen.own_files import with_checksum
from datagen.shards import Manifest
from datagen.spec import SPLITS, DatasetSpec

pytestmark = pytest.mark.usefixtures("local_ray")


@pytest.mark.slow
def test_ray_renders_the_same_bytes_as_one_process(spec: DatasetSpec, data_folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    manifest = generate.ensure(spec, tmp_path / "new", lambda done, total: seen.append((done, total)))
    assert manifest.sha256 == Manifest.load(data_folder).sha256
    assert seen[0] == (0, 44)
    assert seen[-1] == (44, 44)


def test_a_finished_data_set_is_not_rendered_again(spec: DatasetSpec, data_folder: Path) -> None:
    generate.ensure(spec, data_folder)
    before = {path.name: path.stat().st_mtime_ns for path in data_folder.iterdir()}
    generate.ensure(spec, data_folder)
    assert {path.name: path.stat().st_mtime_ns for path in data_folder.iterdir()} == before


def test_contact_sheets_that_a_killed_call_did_not_come_to_are_drawn(
    spec: DatasetSpec, data_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(data_folder, tmp_path / "data", ignore=shutil.ignore_patterns("contact-test.png"))
    generate.ensure(spec, tmp_path / "data")
    assert len(summary.files(tmp_path / "data")) == 4


@pytest.mark.slow
def test_of_two_calls_at_once_one_renders(spec: DatasetSpec, tmp_path: Path) -> None:
    seen: list[list[int]] = [[], []]
    with ThreadPoolExecutor() as threads:
        calls = [
            threads.submit(generate.ensure, spec, tmp_path, lambda done, total, to=to: to.append(done)) for to in seen
        ]
        manifests = [call.result() for call in calls]
    assert manifests[0] == manifests[1] == Manifest.load(tmp_path)
    assert sorted(map(len, seen)) == [1, 1 + len(shards.shards(spec))]


@pytest.mark.slow
def test_a_running_cluster_is_used_whole() -> None:
    done = subprocess.run(call("session_on_a_cluster.py"), capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines()[-1:] == ["1.0"], done.stderr


@pytest.mark.slow
def test_only_missing_shards_are_rendered(spec: DatasetSpec, tmp_path: Path) -> None:
    manifest = generate.ensure(spec, tmp_path)
    digest = manifest.sha256["test-00000.parquet"]
    (tmp_path / "test-00000.parquet").unlink()
    kept = (tmp_path / "train-00000.parquet").stat().st_mtime_ns
    assert generate.ensure(spec, tmp_path).sha256["test-00000.parquet"] == digest
    assert (tmp_path / "train-00000.parquet").stat().st_mtime_ns == kept


def test_a_folder_of_another_data_set_is_left_alone(spec: DatasetSpec, data_folder: Path) -> None:
    with pytest.raises(ShardError, match="another data set"):
        generate.ensure(replace(spec, seed=9), data_folder)


@pytest.mark.slow
def test_a_damaged_shard_is_named_and_rendered_again(
    spec: DatasetSpec, data_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(data_folder, tmp_path / "data")
    whole = (tmp_path / "data" / "train-00001.parquet").read_bytes()
    (tmp_path / "data" / "train-00001.parquet").write_bytes(whole[:-1])
    generate.ensure(spec, tmp_path / "data")
    assert (tmp_path / "data" / "train-00001.parquet").read_bytes() == whole
    assert "train-00001.parquet: sha256 differs" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["driver", "worker"])
def test_after_a_kill_the_same_call_ends_with_the_same_bytes(victim: str, tmp_path: Path) -> None:
    folders = tmp_path / "killed", tmp_path / "undisturbed"
    rendering = call("render_with_a_kill.py", str(folders[0]), victim)
    killed = subprocess.run(rendering, capture_output=True, text=True, timeout=300, check=False)
    assert killed.returncode == (-signal.SIGKILL if victim == "driver" else 0), killed.stderr
    for folder in folders:
        generate.ensure(DatasetSpec(train=2000, val=20, test=20, shard=10), folder)
    contents = [{file.name: file.read_bytes() for file in folder.glob("*-*.parquet")} for folder in folders]
    assert contents[0] == contents[1]


def test_files_that_changed_since_are_not_mixed_in(spec: DatasetSpec, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(f"line {number}" for number in range(100)))
    own = with_checksum(replace(spec, texts=Texts(file=str(lines))))
    lines.write_text("changed")
    with pytest.raises(SpecError, match="have changed"):
        generate.ensure(own, tmp_path / "data")


def test_the_command_counts_the_lines_that_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "lines.txt"
    usable = [f"line {number}" for number in range(100)]
    lines.write_text("\n".join([*usable, "日本", "日", "本日", "--"]), encoding="utf-8")
    # The session that is there already stays.
    monkeypatch.setattr(generate, "ray_session", lambda cpus: nullcontext())
    options = {"--texts.file": lines, "--out": tmp_path / "[x]", "--preset": "smoke", "--train": 4, "--val": 2}
    monkeypatch.setattr("sys.argv", ["datagen", *(str(part) for option in options.items() for part in option)])
    assert main() == 0
    said = capsys.readouterr().out
    assert "not used: 2 of the lines and files: it has '日本', which texts.characters leaves out" in said
    assert "not used: 1 of the lines and files: it has no letter and no digit" in said
    manifest = Manifest.load(tmp_path / "[x]")
    assert manifest.rejected.keys() == {"日本", "日", "本日", "--"}
    texts = {text for split in SPLITS for text in dataset.load(tmp_path / "[x]", split).texts}
    assert {text.casefold() for text in texts} <= set(usable)


def test_an_unwritable_folder_is_reported(spec: DatasetSpec, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        generate.ensure(spec, tmp_path / "file" / "data")


def test_a_worker_error_reaches_the_user_as_ours(spec: DatasetSpec, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leaves no letter"):
        generate.ensure(replace(spec, texts=Texts(random=1.0, pool=("symbols",))), tmp_path)


@pytest.mark.slow
def test_ray_starts_where_temporary_files_have_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    variables = environment() | {"TMPDIR": str(folder)}
    done = subprocess.run(call("session.py"), env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines()[-1:] == ["started"], done.stderr


def test_a_ray_that_cannot_start_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(**options: object) -> None:
        raise OSError("AF_UNIX path length cannot exceed 107 bytes: /long")

    monkeypatch.setattr("ray.init", start)
    with pytest.raises(DataError, match=r"cannot exceed 107 bytes.*set RAY_TMPDIR"):
        generate._start(1)
