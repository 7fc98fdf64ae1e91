"""Command line: a whole sweep, from nothing to the front.

python -m sweep.run --budget 64
"""

import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import tyro
from rich.console import Console

from datagen.errors import DataError
from models.console import ended
from models.errors import ModelError
from sweep.arguments import OPTIONS, Arguments, overrides, seconds, sizes, stages
from sweep.console import STYLE, complain
from sweep.errors import SweepError
from sweep.names import PresetName

if TYPE_CHECKING:
    from datagen.spec import Spec
    from sweep.config import SweepConfig
    from sweep.results.folder import RunFolder


def main() -> int:
    """Runs the command and returns its exit code."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    arguments = tyro.cli(Arguments, prog="python -m sweep.run", config=STYLE)
    console = Console(stderr=True)
    try:
        _run(arguments)
    except (SweepError, DataError, ModelError) as error:
        return complain(error)
    except KeyboardInterrupt:
        console.print("interrupted; what was done is saved. The same command with --resume goes on.")
        return 1
    return 0


def _run(arguments: Arguments) -> None:
    began, limit = time.monotonic(), seconds(arguments.hours)
    run = open_run(arguments, lambda line: print(line, file=sys.stderr))
    # Ray and MLflow take seconds to import; wrong arguments are answered first.
    from sweep import launch

    launch.sweep(run, limit, began)


def open_run(arguments: Arguments, say: Callable[[str], None] = lambda line: None) -> "RunFolder":
    """The folder of the run that was asked for, made or found; what is asked of one that is found is not written yet.

    Args:
        say: told which preset is taken, and why, where the arguments name none.

    Raises:
        SweepError: the run exists and is not to be resumed, is of another configuration, or cannot be written; or
            RAY_ADDRESS leads to no cluster.
        DataError: --data holds no data set.
        ModelError: a name is unknown, or a recognizer cannot be loaded.
    """
    from sweep.results import following

    preset = arguments.preset or (None if arguments.resume and arguments.out else _default(say))
    # Workers run elsewhere, and what runs share lies beside the folder: that of `.` is no other.
    out = Path(os.path.normpath(following.here(arguments.out or Path("runs") / str(preset)).absolute()))
    return _resumed(arguments, out) if arguments.resume or preset is None else _started(arguments, out, preset)


def _default(say: Callable[[str], None]) -> PresetName:
    """The preset for what the sweep runs on, whatever of it the machine has where the command is given."""
    from sweep import presets
    from sweep.cluster import offers

    offer = offers.gpus()
    preset = presets.default(offer.most)
    say(f"preset {preset}: {offer} (--preset takes another)")
    return preset


def _data(arguments: Arguments, out: Path) -> Path | None:
    """The folder that --data names, or where a copy is kept of what is on a remote store."""
    from datagen import remote

    return remote.fetch(arguments.data, out.parent / "data") if arguments.data else None


def _started(arguments: Arguments, out: Path, preset: PresetName) -> "RunFolder":
    from datagen import remote
    from sweep.results.folder import RunFolder, new_sweep_id
    from sweep.tracking import mlflow_store

    config = _asked(arguments, preset)
    data = _data(arguments, out)
    config = _trained(config, arguments, data)
    data = data or out.parent / "data" / f"{preset}-{config.data.digest()}"
    uri = mlflow_store.default_uri()
    store = arguments.out and remote.address(arguments.out)
    run = RunFolder(out, config, preset, data.absolute(), new_sweep_id(), uri, unsized=sizes(arguments), store=store)
    _check_start(run)
    run.create()
    # As it will be resumed, where 1 and 1.0 are one.
    return RunFolder.load(out)


def _asked(arguments: Arguments, preset: PresetName) -> "SweepConfig":
    """The preset as the command line changes it."""
    from sweep import presets
    from sweep.config import override
    from sweep.stages import strategies

    config = presets.PRESETS[preset]()
    config = override(config, **overrides(arguments, config))
    strategies.of(config).check(config)
    return presets.aimed(config, arguments.target or config.target)


def _trained(config: "SweepConfig", arguments: Arguments, data: Path | None) -> "SweepConfig":
    """The sweep on the images of a data set or on drawn ones, with stages for those and for its strategy."""
    from datagen.shards import Manifest
    from sweep.search import proposals
    from sweep.stages import strategies

    if data:
        config = replace(config, data=Manifest.load(data).spec)
    config = _begun(config, arguments)
    if not data:
        config = replace(config, data=_legible(config))
    config = proposals.cap_budget(config)
    config = strategies.of(config).split_budget(config)
    return replace(config, **stages(arguments, config))


def _begun(config: "SweepConfig", arguments: Arguments) -> "SweepConfig":
    """The sweep from the weights that its stage 1 starts from."""
    from sweep import presets

    if arguments.from_scratch:
        return config
    begun = presets.started(config)
    # Few images are drawn for the preset's steps alone.
    own = arguments.data or arguments.hours or arguments.steps
    return replace(begun, data=config.data) if own else begun


def _legible(config: "SweepConfig") -> "Spec":
    """The preset's data set, of texts that the recognizers know."""
    from datagen import own_files
    from datagen.lines import READABLE
    from datagen.spec import DatasetSpec
    from models.recognizers import ensemble

    assert isinstance(config.data, DatasetSpec), "presets are drawn"
    characters = ensemble.load(config.recognizers).known(READABLE)
    spec = replace(config.data, texts=replace(config.data.texts, characters=characters))
    return own_files.with_checksum(own_files.with_absolute_paths(spec))


def _resumed(arguments: Arguments, out: Path) -> "RunFolder":
    from datagen.shards import Manifest
    from sweep.config import fixed, override
    from sweep.results.folder import RunFolder
    from sweep.search import proposals

    run = RunFolder.load(out)
    _check_version(run)
    _check_named(run, arguments.recognizer)
    data = _data(arguments, out)
    wanted = (
        ({"init": None} if arguments.from_scratch else {})
        | overrides(arguments, run.config)
        | stages(arguments, run.config)
        | ({"data": Manifest.load(data).spec} if data else {})
    )
    if arguments.preset not in (None, run.preset):
        raise SweepError(f"{out} was started with --preset {run.preset}; resume it with that, or start another --out")
    if arguments.target not in (None, run.config.target):
        raise SweepError(f"{out} was started with --target {run.config.target}; resume it with that, or start another")
    for name, value in fixed(run.config).items():
        if wanted.get(name, value) != value:
            option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
            raise SweepError(
                f"{out} was started with another {option}; resume it with that one, or start another --out"
            )
    config, before = proposals.cap_budget(override(run.config, **wanted)), run.config.search
    if before.sampler == "grid" and config.search.budget != before.budget:
        raise SweepError(f"{out} is a whole grid of {before.budget} points; start another --out for a larger one")
    if config.search.budget < before.budget:
        raise SweepError(f"{out} has --budget {before.budget}, which can only grow; give that or more")
    # MLflow takes seconds to import; wrong arguments are answered first.
    from sweep.tracking import mlflow_store

    uri = mlflow_store.chosen_uri() or run.tracking_uri
    run = replace(run, config=config, data=(data or run.data).absolute(), tracking_uri=uri)
    _check_start(run)
    return run


def _check_version(run: "RunFolder") -> None:
    """Nothing, if this code computes what the run has computed so far; else its table would mix two releases."""
    from datagen.spec import ImportSpec
    from sweep import versions
    from sweep.stages import strategies

    advice = "finish it with that one, or start another --out"
    if run.versions is None:
        raise SweepError(f"{run.path} was started by an older release, whose weights have other keys; {advice}")
    changed = versions.today(run.config.codec).differences(run.versions)
    if isinstance(run.config.data, ImportSpec):
        changed -= {"renderer"}
    if not strategies.of(run.config).conditions:
        changed -= {"conditioning"}
    if changed:
        said = " and ".join(sorted(changed))
        raise SweepError(f"{run.path} was started by a release with another {said}; {advice}")


def _check_named(run: "RunFolder", recognizers: tuple[str, ...]) -> None:
    """Nothing, if the user names what of the user's is to be imported: a run's folder does not choose that."""
    if not recognizers and any(each.is_users for each in run.config.recognizers):
        named = " ".join(
            f"--recognizer {recognizer_config.name}={recognizer_config.weight:g}"
            for recognizer_config in run.config.recognizers
        )
        raise SweepError(f"{run.path} trains against code of your own; give {named} to import and call it")


def _check_start(run: "RunFolder") -> None:
    """Reads the checkpoint that stage 1 starts from, if it is still to start: workers would fail minutes later."""
    from sweep.stages import strategies
    from sweep.stages.store import Store

    store = Store.of(run.path)
    ahead = [node for node in strategies.of(run.config).roots(run.config) if node.init and not store.knows(node)]
    if ahead:
        ahead[0].start()


if __name__ == "__main__":
    sys.exit(ended(main))
