"""A run's folder: what was asked for, kept so that the run can be resumed, reported and picked from."""

import json
import os
import uuid
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from filelock import Timeout
from pydantic import TypeAdapter

from datagen.files import atomic, file_lock
from sweep import versions
from sweep.config import SweepConfig, sectioned
from sweep.errors import SweepError
from sweep.results import following
from sweep.stages import strategies
from sweep.stages.nodes import FOLDER
from sweep.versions import Versions

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, with the content of config.json."""

    path: Path
    config: SweepConfig
    preset: str
    data: Path
    """Folder of the data set."""
    sweep_id: str
    """Names the sweep in MLflow."""
    tracking_uri: str
    unsized: bool = False
    """Whether the steps of both stages are still to be sized to the hours that the sweep is given."""
    store: str | None = None
    """Address of a store that follows the folder, such as s3://bucket/run."""
    versions: Versions | None = None
    """Versions of the code that started the run; None for a run from before there were versions."""

    def create(self) -> None:
        """Makes the folder of a new run, which this code starts.

        Raises:
            SweepError: it holds a run already, or another sweep works in it, or it cannot be written.
        """
        try:
            (self.path / FOLDER).mkdir(parents=True, exist_ok=True)
            with self.claimed():
                self._begin()
        except OSError as error:
            raise SweepError(f"{self.path} cannot be written ({error.strerror}); give another --out") from error

    def _begin(self) -> None:
        if self._file(self.path).exists():
            raise SweepError(f"{self.path} holds a run already; add --resume to go on with it, or give another --out")
        replace(self, versions=versions.today(self.config.codec)).save()

    @contextmanager
    def claimed(self) -> Generator[None]:
        """Keeps other sweeps out of the folder during the block.

        Raises:
            SweepError: one does.
        """
        lock = file_lock(self.path / "tune" / "lock", timeout=0)
        with ExitStack() as held:
            try:
                held.enter_context(lock)
            except Timeout as error:
                raise SweepError(
                    f"another sweep works in {self.path}; let it end, or start in another --out"
                ) from error
            yield

    def save(self) -> None:
        """Writes config.json; whoever resumes a run claims the folder first."""
        content = {
            "preset": self.preset,
            "sweep_id": self.sweep_id,
            # Both relative to the run, so that all can be moved together.
            "tracking_uri": _placed(self.tracking_uri, lambda file: os.path.relpath(file, self.path)),
            "data": os.path.relpath(self.data, self.path),
            "unsized": self.unsized,
            "store": self.store,
            "versions": self.versions and asdict(self.versions),
            "sweep": asdict(self.config),
        }
        with atomic(self._file(self.path)) as partial:
            partial.write_text(json.dumps(content, indent=2) + "\n")

    def parameters(self) -> dict[str, Any]:
        """What tells this sweep from others in MLflow, by name."""
        config = self.config
        names = ("strategy", "codec", "labels", "polish_steps", "seed")
        values: dict[str, Any] = {name: getattr(config, name) for name in names}
        values |= {name: getattr(config.search, name) for name in ("sampler", "lambdas", "betas")}
        values |= {"recognizer": config.recognizer_identity, **config.search.constraints}
        if config.init is not None:
            values |= {"init": config.init.sha256}
        for name, stage in (("stage1", config.stage1), ("stage2", config.stage2)):
            values |= {f"{name}_{field}": value for field, value in asdict(stage).items()}
        for name in self.steps() if self.unsized else ():
            del values[name]
        return values | {"preset": self.preset, "data": config.data.digest(), "folder": str(self.path.absolute())}

    def steps(self) -> dict[str, Any]:
        """The parameters that are known once the steps are sized."""
        return {"stage1_steps": self.config.stage1.steps, "stage2_steps": self.config.stage2.steps}

    @classmethod
    def load(cls, path: Path) -> "RunFolder":
        """Reads an existing run, here or, by its address, on a store.

        Raises:
            SweepError: the folder holds none, or its config.json cannot be read.
            DataError: no store has the address.
        """
        path = Path(os.path.normpath(following.here(path).absolute()))
        file = cls._file(path)
        try:
            content = json.loads(file.read_text())
            config = TypeAdapter(SweepConfig).validate_python(sectioned(content["sweep"]))
            strategies.of(config).check(config)
            data = Path(os.path.normpath(path / content["data"]))
            uri = _placed(content["tracking_uri"], lambda file: os.path.normpath((path / file).absolute()))
            started = TypeAdapter(Versions | None).validate_python(content.get("versions"))
            unsized, store = bool(content.get("unsized", False)), content.get("store")
            return cls(path, config, content["preset"], data, content["sweep_id"], uri, unsized, store, started)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise SweepError(
                f"{path} holds no run (config.json is missing); start one with python -m sweep.run"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SweepError(
                f"{file} cannot be read ({error}); restore it, or start again in another folder"
            ) from error

    @staticmethod
    def _file(path: Path) -> Path:
        return path / "config.json"


def sqlite_file(uri: str) -> Path | None:
    """The file of an MLflow store in SQLite; None where the store is another, or in memory."""
    path = unquote(uri.removeprefix(SQLITE).partition("?")[0])
    return Path(path) if uri.startswith(SQLITE) and path not in ("", ":memory:") else None


def _placed(uri: str, place: Callable[[Path], str]) -> str:
    """The URI of an MLflow store, with another path for the SQLite file, if the store is one."""
    file = sqlite_file(uri)
    _, mark, query = uri.partition("?")
    return uri if file is None else f"{SQLITE}{_escaped(place(file))}{mark}{query}"


def plain(uri: str) -> str:
    """The URI of a store with as few escaped signs as possible: MLflow makes a folder of the path as it is written."""
    return _placed(uri, str)


def openable(uri: str) -> str:
    """The URI that MLflow opens: relative to the working directory where that spares an escaped sign."""
    near = _placed(uri, os.path.relpath)
    return uri if "%" not in uri or "%" in near else near


def _escaped(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3F")


def new_sweep_id() -> str:
    """A new id that no other sweep has."""
    return uuid.uuid4().hex
