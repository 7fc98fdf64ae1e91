"""Renders the shards that a folder lacks, each as one Ray task."""

import functools
import logging
import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

# `uv run` would make Ray build a second environment for its workers; they are to use the driver's.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
# Tasks that Ray's memory monitor ends, it would try again without end.
os.environ.setdefault("RAY_task_oom_retries", "2")

import ray
from ray.exceptions import OutOfMemoryError, RayTaskError

from datagen import backgrounds, files, fonts, shards, signals, summary, texts
from datagen.errors import DataError, ShardError, SpecError, reason
from datagen.machines import shared_out
from datagen.own_files import with_checksum
from datagen.render import render
from datagen.sample import Sample
from datagen.shards import Manifest, Shard
from datagen.spec import DatasetSpec, Spec

logger = logging.getLogger(__name__)

Report = Callable[[int, int], None]
"""Called with images finished and images in all."""

ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"}
"""Has glibc keep what a worker frees for its next step: left alone it gives activations back to the system, which
clears every page again, a tenth of what a step of training takes on a CPU."""


SHORT = "/tmp/ray"
"""Where Ray keeps its sockets and logs unless it is told otherwise; everybody may write there."""


@contextmanager
def ray_session(cpus: int | None = None) -> Generator[None]:
    """Ray for the length of the block: the running cluster, or one on this machine with `cpus` cores (default: all).

    Raises:
        DataError: it cannot start here.
    """
    if not ray.is_initialized():
        with signals.deaf_children():
            _start(cpus)
    # Ray takes SIGTERM for itself.
    for number in signals.ending():
        signal.signal(number, signals.interrupt)
    try:
        yield
    finally:
        ray.shutdown()  # pyright: ignore[reportUnknownMemberType]


def _start(cpus: int | None) -> None:
    ray_logger = logging.getLogger("ray")
    _quiet(ray_logger)
    files = [handler for handler in ray_logger.handlers if isinstance(handler, logging.FileHandler)]
    _init(cpus)
    # Ray clears its logger's handlers; what keeps a log goes on.
    for file in files:
        ray_logger.addHandler(file)


def _init(cpus: int | None) -> None:
    start = functools.partial(
        ray.init,  # pyright: ignore[reportUnknownMemberType]
        log_to_driver=False,
        configure_logging=False,
        include_dashboard=False,
        runtime_env={"env_vars": ALLOCATOR},
    )
    try:
        start(num_cpus=cpus)
    except ValueError:
        # A running cluster has the cores that it has.
        start()
    except OSError:
        # The path of a socket holds some hundred bytes, and TMPDIR most of them, as that of a Slurm job may.
        _start_elsewhere(functools.partial(start, num_cpus=cpus))


def _quiet(ray_logger: logging.Logger) -> None:
    """Leaves out what Ray says of itself; a level that the caller has set, who may keep a log, stays."""
    if ray_logger.level == logging.INFO:
        ray_logger.setLevel(logging.ERROR)


def _start_elsewhere(start: Callable[..., object]) -> None:
    try:
        start(_temp_dir=SHORT)
    except OSError as error:
        raise DataError(
            f"Ray cannot start ({reason(error)}); set RAY_TMPDIR to a folder of a short path that can be written"
        ) from error


def ensure(spec: Spec, folder: Path, report: Report = lambda done, total: None) -> Manifest:
    """Makes `folder` hold the whole data set and returns its manifest; shards that match their checksum are kept.

    Needs a Ray session. The manifest grows with each shard, so that an interrupted call loses only the
    shards under way. A missing or damaged shard of rendered images is rendered again. Of several calls at once, one
    renders and the others wait for it.

    Raises:
        ShardError: the folder holds another data set, or an imported shard is missing or damaged.
        DataError: the folder cannot be written, or the specification cannot be drawn.
    """
    manifest = _whole(spec, folder)
    if manifest is None:
        with shards.claimed(folder):
            manifest = _filled(spec, folder, report)
    else:
        images = sum(shard.images for shard in shards.shards(spec))
        report(images, images)
    summary.ensure(folder)
    return manifest


def _whole(spec: Spec, folder: Path) -> Manifest | None:
    """The manifest of a folder that lacks nothing."""
    if not (folder / shards.MANIFEST).exists():
        return None
    manifest = _manifest(spec, folder)
    return None if manifest.missing(folder) or manifest.damaged(folder) else manifest


def _filled(spec: Spec, folder: Path, report: Report) -> Manifest:
    """The manifest once all is there; whoever held the folder before may have done that already."""
    manifest = _manifest(spec, folder)
    missing = _missing(manifest, folder)
    total = sum(shard.images for shard in shards.shards(spec))
    done = total - sum(shard.images for shard in missing)
    report(done, total)
    for shard, sha256 in _rendered(spec, folder, missing):
        manifest.sha256[shard.name] = sha256
        manifest.save(folder)
        done += shard.images
        report(done, total)
    return manifest


def _manifest(spec: Spec, folder: Path) -> Manifest:
    if not (folder / shards.MANIFEST).exists():
        Manifest(spec, rejected=_rejected(spec) if isinstance(spec, DatasetSpec) else {}).save(folder)
    manifest = Manifest.load(folder)
    if manifest.spec != spec:
        raise ShardError(f"{folder} holds another data set ({manifest.spec.digest()}); choose another folder")
    return manifest


def _rejected(spec: DatasetSpec) -> dict[str, str]:
    """Why a line, a font or a photo of the user's is of no use, by the line or file."""
    return texts.rejected(spec) | fonts.rejected(spec) | backgrounds.rejected(spec)


def _missing(manifest: Manifest, folder: Path) -> list[Shard]:
    """Shards to render: those not finished, and those that changed since."""
    files.forget_partials(folder)
    for shard in manifest.damaged(folder):
        logger.warning("%s: sha256 differs from the manifest's; it is rendered again", folder / shard.name)
        del manifest.sha256[shard.name]
    return manifest.missing(folder)


def _rendered(spec: Spec, folder: Path, missing: list[Shard]) -> Iterator[tuple[Shard, str]]:
    """Each shard as it is finished, and its sha256."""
    if not missing:
        return
    if not isinstance(spec, DatasetSpec):
        raise ShardError(f"{folder}: {missing[0].name} is missing or damaged; delete the folder and import again")
    if with_checksum(spec) != spec:
        raise SpecError(f"{folder}: the files that its specification names have changed; choose another folder")
    for shard, task in shared_out(lambda shard: _render_shard.remote(spec, shard), missing):
        yield shard, shards.write(folder / shard.name, _result(task))


@ray.remote(num_cpus=1)
def _render_shard(spec: DatasetSpec, shard: Shard) -> list[Sample]:
    """The samples of a shard; a worker on another machine does not see the folder."""
    return [render(spec, shard.split, index) for index in range(shard.start, shard.stop)]


def _result(task: ray.ObjectRef[list[Sample]]) -> list[Sample]:
    try:
        return ray.get(task)
    except RayTaskError as error:
        if isinstance(error.cause, DataError):
            raise DataError(str(error.cause)) from error
        raise
    except OutOfMemoryError as error:
        raise DataError(
            "workers that render were ended three times, for their machine ran out of memory; close other programs, or "
            "render first, with python -m datagen --workers 1"
        ) from error
