"""One whole sweep serves all tests of sweeps."""

import shutil
from pathlib import Path

import pytest
from commands import completed
from sweeps import SMOKE, Finished


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A working directory with a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    code, said, complained = completed(folder, "sweep.run", *SMOKE)
    assert code == 0, complained
    return Finished(folder, said, complained)


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    """A copy of that working directory: run, images, MLflow's store and all."""
    return shutil.copytree(finished.folder, tmp_path / "copy")
