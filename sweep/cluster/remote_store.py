"""A run's trained nodes on another machine: an actor there serves the files, as bytes."""

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import torch

from sweep import graceful_stop
from sweep.stages.nodes import NodeStore
from sweep.stages.store import Store
from sweep.training.checkpoint import TrainingState

Handle = Any
"""Ray's of an actor `Files`, whose methods Ray does not type."""
ASKING_SECONDS = 1.0
"""Between two questions whether what is under way is to end."""


class Files:
    """The files of a run's nodes, as bytes; an actor on the machine that has them."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._store = Store.of(run)

    def stopped(self) -> bool:
        """Whether the run is asked to end."""
        return graceful_stop.stop_file(self._run).exists()

    def weights(self, key: str) -> bytes | None:
        """A finished node's file; what another run has trained is taken over."""
        path = self._store.whole(key)
        return None if path is None else path.read_bytes()

    def described(self, key: str) -> dict[str, Any]:
        """A finished node's description."""
        return self._store.described(key)

    def keep(self, key: str, description: dict[str, Any], weights: bytes) -> None:
        """Keeps a finished node."""
        self._store.write(key, description, lambda partial: partial.write_bytes(weights))

    def forget(self, key: str) -> None:
        """Removes what is half done of a node."""
        self._store.forget(key)

    def state(self, key: str) -> bytes | None:
        """The last state of a node in training."""
        path = self._store.checkpointer(key).last()
        return None if path is None else path.read_bytes()

    def keep_state(self, key: str, state: bytes) -> None:
        """Keeps a state of a node in training, and the one before."""
        self._store.checkpointer(key).write(lambda partial: partial.write_bytes(state))

    def drop_state(self, key: str) -> None:
        """Forgets the last state where there is one before."""
        self._store.checkpointer(key).drop_last()


@dataclass(frozen=True)
class RemoteStore(NodeStore):
    """A run's nodes on another machine."""

    files: Handle
    folder: Path
    save_seconds: float

    @property
    def run(self) -> Path:
        """The run's folder there."""
        return self.folder

    def weights(self, key: str) -> dict[str, Any] | None:
        """As `NodeStore.weights`."""
        return _loaded(answer(self.files.weights.remote(key)))

    def described(self, key: str) -> dict[str, Any]:
        """As `NodeStore.described`."""
        return answer(self.files.described.remote(key))

    def keep(self, key: str, description: dict[str, Any], weights: dict[str, Any]) -> None:
        """As `NodeStore.keep`."""
        answer(self.files.keep.remote(key, description, _saved(weights)))

    def forget(self, key: str) -> None:
        """As `NodeStore.forget`."""
        answer(self.files.forget.remote(key))

    def checkpointer(self, key: str) -> "RemoteCheckpointer":
        """As `NodeStore.checkpointer`."""
        return RemoteCheckpointer(self.files, key, self.save_seconds)


class RemoteCheckpointer:
    """Keeps the states of a training stage on another machine; a `Checkpointer`."""

    def __init__(self, files: Handle, key: str, seconds: float) -> None:
        self._files, self._key, self._seconds = files, key, seconds
        self._saved = self._asked = time.monotonic()
        self._asking: ray.ObjectRef[bool] = files.stopped.remote()
        self._stopped = False

    def restore(self) -> TrainingState | None:
        """As `Checkpointer.restore`."""
        state = _loaded(answer(self._files.state.remote(self._key)))
        return None if state is None else TrainingState(**state)

    def stop_requested(self) -> bool:
        """As `Checkpointer.stop_requested`; training does not wait for the answer, which may be a second old."""
        now = time.monotonic()
        if now - self._asked > ASKING_SECONDS and _is_answered(self._asking):
            self._stopped = answer(self._asking)
            self._asking, self._asked = self._files.stopped.remote(), now
        return self._stopped

    def due(self) -> bool:
        """As `Checkpointer.due`."""
        return time.monotonic() - self._saved >= self._seconds

    def save(self, state: TrainingState) -> None:
        """As `Checkpointer.save`."""
        answer(self._files.keep_state.remote(self._key, _saved(state._asdict())))
        self._saved = time.monotonic()

    def drop_last(self) -> None:
        """As `Checkpointer.drop_last`."""
        answer(self._files.drop_state.remote(self._key))


def answer(question: Any) -> Any:
    """What the actor says, which is waited for."""
    return ray.get(question)  # pyright: ignore[reportUnknownVariableType]


def _is_answered(question: ray.ObjectRef[bool]) -> bool:
    done, _ = ray.wait([question], timeout=0)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return len(done) > 0  # pyright: ignore[reportUnknownArgumentType]


def _saved(content: Any) -> bytes:
    memory = io.BytesIO()
    torch.save(content, memory)
    return memory.getvalue()


def _loaded(content: bytes | None) -> Any:
    return content and torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
