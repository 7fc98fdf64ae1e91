"""MLflow's server of a cluster: what it serves outlives the machine, and nobody else reaches it."""

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
import requests
from commands import call, environment

from sweep.tracking import mlflow_server
from sweep.tracking.mlflow_server import Arguments


@pytest.fixture
def arguments(tmp_path: Path) -> Arguments:
    (tmp_path / "disk").mkdir()
    return Arguments(store=str(tmp_path / "store"), folder=tmp_path / "disk")


def rows(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as tables:
        return [number for (number,) in tables.execute("SELECT number FROM points ORDER BY number")]


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_new_machine_begins_with_the_copy_of_the_last(tmp_path: Path, prefix: str) -> None:
    arguments = Arguments(store=f"{prefix}{tmp_path / 'store'}", folder=tmp_path)
    with closing(sqlite3.connect(arguments.file)) as tables:
        tables.executescript("PRAGMA journal_mode=WAL; CREATE TABLE points (number INT); INSERT INTO points VALUES (1)")
        # Somebody is writing at that moment; the copy has what was whole.
        tables.execute("INSERT INTO points VALUES (2)")
        mlflow_server.copy(arguments)
        tables.commit()
    elsewhere = Arguments(store=arguments.store, folder=tmp_path / "new")
    elsewhere.folder.mkdir()
    mlflow_server.restore(elsewhere)
    assert rows(elsewhere.file) == [1]


def test_tables_that_are_there_are_not_replaced(arguments: Arguments) -> None:
    arguments.file.write_text("newer")
    (Path(arguments.remote)).mkdir(parents=True)
    (Path(arguments.remote) / arguments.file.name).write_text("older")
    mlflow_server.restore(arguments)
    assert arguments.file.read_text() == "newer"


def test_a_store_that_is_away_is_tried_again(arguments: Arguments, capsys: pytest.CaptureFixture[str]) -> None:
    sqlite3.connect(arguments.file).close()
    Path(arguments.store).write_text("in the way")
    assert mlflow_server._copied(arguments, None) is None
    assert "not copied" in capsys.readouterr().out
    Path(arguments.store).unlink()
    assert (after := mlflow_server._copied(arguments, None)) is not None
    assert mlflow_server._copied(arguments, after) == after


@contextmanager
def served(store: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The command, once it answers."""
    options = ("--folder", str(folder), "--port", str(port), "--seconds", "0.5")
    process = subprocess.Popen(
        call("sweep.tracking.mlflow_server", str(store), *options), env=environment(), start_new_session=True
    )
    try:
        answered(port)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def answered(port: int) -> None:
    """Waits until the server does so."""
    while True:
        try:
            assert requests.get(f"http://127.0.0.1:{port}/health", timeout=60).ok
            return
        except requests.ConnectionError:
            time.sleep(0.2)


def experiments(port: int) -> list[str]:
    found = requests.post(f"{api(port)}/search", json={"max_results": 10}, timeout=30).json()
    return [each["name"] for each in found["experiments"]]


def api(port: int) -> str:
    return f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments"


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.slow
def test_a_server_that_ends_is_started_again_and_its_tables_move_on(tmp_path: Path, port: int) -> None:
    store = tmp_path / "store"
    with served(store, tmp_path / "disk", port) as process:
        requests.post(f"{api(port)}/create", json={"name": "mine"}, timeout=30).raise_for_status()
        [server] = psutil.Process(process.pid).children()
        tree = [server, *server.children(recursive=True)]
        # What it has started keeps the port.
        server.kill()
        while any(each.is_running() for each in tree):
            time.sleep(0.1)
        answered(port)
        assert "mine" in experiments(port)
        # Of two on a machine, the later one serves.
        with served(store, tmp_path / "disk", port):
            assert process.wait() == 0
            # Until then, the first one may have answered.
            answered(port)
            assert "mine" in experiments(port)
    with served(store, tmp_path / "another", port):
        assert "mine" in experiments(port)


@pytest.mark.slow
def test_nobody_else_reaches_it(tmp_path: Path, port: int) -> None:
    with served(tmp_path / "store", tmp_path / "disk", port) as process:
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        listening = {at.laddr.ip for each in tree for at in each.net_connections() if at.status == "LISTEN"}
        assert listening == {"127.0.0.1"}
        page = requests.get(f"{api(port)}/search", headers={"Host": "elsewhere.example"}, timeout=30)
        assert page.status_code == 403
        line = " ".join(word for each in tree for word in each.cmdline())
        assert "sqlite://" not in line.replace(sys.executable, "")
