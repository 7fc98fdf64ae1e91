"""MLflow's server on the head of a cluster: started again when it ends, its SQLite file copied to the runs' store.

python -m sweep.tracking.mlflow_server s3://bucket
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import psutil
import tyro

from datagen import remote, signals
from datagen.errors import DataError
from datagen.files import atomic
from datagen.remote import FAILURES, Remote
from sweep.console import STYLE

ENDING_SECONDS = 30.0
"""Seconds that a server may take to end."""
AGAIN_SECONDS = 5.0
"""Between the end of a server and the start of the next."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Serves MLflow to this machine alone, for as long as it runs; what it serves outlives the machine.

    Args:
        store: Where the SQLite file is copied to, and pictures and models lie, in a folder `mlflow`: a folder, s3://
            or gs://. Where this machine has no SQLite file yet, it begins with the copy.
        folder: Where the SQLite file lies while it is in use, on a disk of this machine.
        database: Another database, such as postgresql://USER@HOST/DATABASE; nothing is copied then.
        port: Where it is served, at 127.0.0.1.
        seconds: Time between two copies.
    """

    store: tyro.conf.Positional[str]
    folder: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("~/mlflow")
    database: Annotated[str, tyro.conf.arg(metavar="URI")] = ""
    port: int = 5000
    seconds: float = 60.0

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / "mlflow.db"

    @property
    def remote(self) -> str:
        """The folder in the store."""
        return f"{self.store.rstrip('/')}/mlflow"


def main() -> int:
    """Serves until it is asked to end."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.tracking.mlflow_server", config=STYLE)
    arguments = replace(arguments, folder=arguments.folder.expanduser().absolute())
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for number in signals.ending():
        signal.signal(number, signals.interrupt)
    with suppress(KeyboardInterrupt):
        _succeed(arguments.folder / "server.pid")
        serve(arguments)
    return 0


def serve(arguments: Arguments) -> None:
    """Serves, and copies what is new, until it is interrupted."""
    if not arguments.database:
        restore(arguments)
    copied = None
    while True:
        server = _started(arguments)
        try:
            while server.poll() is None:
                copied = _copied(arguments, copied)
                with suppress(subprocess.TimeoutExpired):
                    server.wait(arguments.seconds)
        finally:
            # What it has started serves on, and keeps the port, where it alone was killed.
            _end(_group(os.getpgrp()))
            server.wait()
            copied = _copied(arguments, copied)
        _say(f"MLflow ended with exit code {server.returncode} and is started again")
        time.sleep(AGAIN_SECONDS)


def restore(arguments: Arguments) -> None:
    """Fetches the copy of the SQLite file, where there is one and none lies here; waits for a store that is away."""
    while not arguments.file.exists():
        try:
            there = _opened(arguments)
            if not there.has(arguments.file.name):
                return
            with atomic(arguments.file) as partial:
                partial.write_bytes(there.read(arguments.file.name))
        except (*FAILURES, DataError) as error:
            # New tables would be copied over those that are there.
            _say(f"{arguments.remote} does not answer: {error}; it is tried again")
            time.sleep(AGAIN_SECONDS)


def copy(arguments: Arguments) -> None:
    """Copies the SQLite file to the store as it is at one moment, whoever writes to it.

    Raises:
        OSError, ArrowException, DataError, sqlite3.Error: the store or the file cannot be reached.
    """
    whole = arguments.file.with_suffix(".copy")
    source, target = sqlite3.connect(arguments.file), sqlite3.connect(whole)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    _opened(arguments).write(arguments.file.name, whole.read_bytes())


def _copied(arguments: Arguments, before: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """What tells whether the SQLite file has changed since it was copied, after a copy if it has."""
    if arguments.database or not arguments.file.exists():
        return before
    logs = (arguments.file, arguments.file.with_name(f"{arguments.file.name}-wal"))
    now = tuple(log.stat().st_mtime for log in logs if log.exists())
    if now == before:
        return before
    try:
        copy(arguments)
    except (*FAILURES, DataError, sqlite3.Error) as error:
        _say(f"the tables are not copied to {arguments.remote}: {error}; it is tried again")
        return before
    return now


def _opened(arguments: Arguments) -> Remote:
    """The folder in the store."""
    return Remote.of(remote.address(arguments.remote) or Path(arguments.remote).expanduser().absolute().as_uri())


def _started(arguments: Arguments) -> "subprocess.Popen[bytes]":
    # Nobody but this machine reaches it, and MLflow checks the host's name besides. Of several workers, each that does
    # not answer within five seconds, as on a machine under load, is killed, also while it starts.
    served = ("--host", "127.0.0.1", "--port", str(arguments.port), "--workers", "1")
    artifacts = arguments.remote if "://" in arguments.store else str(Path(arguments.remote).expanduser().absolute())
    return subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *served, "--artifacts-destination", f"{artifacts}/artifacts"],
        cwd=arguments.folder,
        # Others see what a command line says, a password included.
        env=os.environ | {"MLFLOW_BACKEND_STORE_URI": arguments.database or f"sqlite:///{arguments.file}"},
    )


def _succeed(file: Path) -> None:
    """Ends what an earlier call has left running here, and notes this one's group of processes."""
    before = int(file.read_text()) if file.exists() else 0
    # The number may be another group's by now.
    _end(_group(before, "mlflow"))
    if os.getpgrp() != os.getpid():
        os.setpgrp()
    with atomic(file) as partial:
        partial.write_text(str(os.getpgrp()))


def _group(number: int, word: str = "") -> list[psutil.Process]:
    """Processes of a group, without this one, whose command lines have a word."""
    found = list[psutil.Process]()
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            if process.pid != os.getpid() and os.getpgid(process.pid) == number and word in " ".join(process.cmdline()):
                found.append(process)
    return found


def _end(processes: list[psutil.Process]) -> None:
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, processes = psutil.wait_procs(processes, ENDING_SECONDS)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
