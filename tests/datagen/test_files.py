import errno
import fcntl
import subprocess
from pathlib import Path

import pytest
from commands import call
from filelock import Timeout

from datagen.files import file_lock


@pytest.fixture(params=[None, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with locks, and some without."""

    def refuse(file, operation: int) -> None:
        raise OSError(request.param, "no locks available")

    if request.param is not None:
        monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("file_system")
def test_a_lock_has_one_holder_at_a_time_on_any_file_system(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    for _ in range(2):
        with file_lock(path), pytest.raises(Timeout), file_lock(path, timeout=0):
            pass


def test_a_process_that_is_killed_holds_no_lock_where_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datagen.files._locks", lambda folder: False)
    path = tmp_path / "lock"
    holder = call("lock_holder_without_flock.py", str(path))
    other = subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(Timeout):
        file_lock(path, timeout=0).acquire()
    other.kill()
    other.communicate()
    with file_lock(path, timeout=5):
        pass
