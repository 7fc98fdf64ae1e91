"""A sweep's phases in their order: data, stage 1 and its base points, trials, report."""

import time
from dataclasses import asdict

from datagen import generate
from models import recognizers
from sweep import points, report, usage
from sweep.errors import SweepError
from sweep.folder import RunFolder
from sweep.points import PointTable
from sweep.progress import Display, clock
from sweep.recorder import Recorder
from sweep.tracking import Tracker
from sweep.trial import Target
from sweep.tuner import Pool

DONE = ("complete", "failed")


def sweep(run: RunFolder) -> None:
    """Brings a run to its budget, whatever of it is done already; then reports.

    Raises:
        SweepError: every point failed.
        DataError: the data set cannot be made.
        WeightsError: the recognizer's weights are missing or changed.
    """
    # Workers load it again; here it fails before anything has started.
    recognizers.load(run.config.recognizer)
    display = Display(run.config)
    started = time.monotonic()
    with usage.peak_memory() as memory, display.live(), generate.ray_session():
        table = PointTable(run.path)
        display.phase("opening MLflow")
        tracker = Tracker(run.tracking_uri, run.sweep_id, run.path.name, _params(run))
        recorder = Recorder(table, tracker, display)
        display.show(table.frame)
        try:
            _measure(run, table, recorder, display)
            _report(run, table, tracker, display)
        except BaseException as error:
            tracker.finish("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        memory.look()
    _print_summary(run, table, display, time.monotonic() - started, recorder.train_seconds, memory.bytes)


def _measure(run: RunFolder, table: PointTable, recorder: Recorder, display: Display) -> None:
    display.phase("rendering images")
    generate.ensure(run.config.data, run.data, display.advanced)
    display.phase("loading images")
    pool = Pool(run.config, run.path, run.data, recorder)
    display.workers = pool.concurrency
    targets = _missing_targets(run, table)
    trials = run.config.budget - len(table.of("tfic", *DONE))
    stage1 = sum(target.kind == "base" for target in targets)
    display.expect(stage1, max(0, trials), len(targets) + max(0, trials))
    display.phase("stage 1: rate and distortion", len(targets))
    pool.measure(targets)
    if not len(table.of("base", "complete")):
        raise SweepError("no stage 1 succeeded, so no trial can start; see the points' reasons above")
    display.phase("stage 2: rate and OCR", trials)
    pool.search(trials)


def _missing_targets(run: RunFolder, table: PointTable) -> list[Target]:
    """The uncompressed point and one base point a lambda, less those that are done."""
    wanted = [*(Target("base", weight) for weight in run.config.lambdas), Target("uncompressed")]
    done = set(table.frame.filter(status="complete")["point_id"])
    return [target for target in wanted if target.identity(run.config)["point_id"] not in done]


def _report(run: RunFolder, table: PointTable, tracker: Tracker, display: Display) -> None:
    display.phase("drawing the report")
    front, reconstructions = report.write(run)
    tracker.figure(front, "front.png")
    tracker.figure(reconstructions, "reconstructions.png")
    for name in ("points.parquet", "front.json"):
        tracker.file(run.path / name)
    tracker.finish("FINISHED")
    if not len(table.of("tfic", "complete")):
        raise SweepError("every trial of stage 2 failed; see the points' reasons above")


def _params(run: RunFolder) -> points.Row:
    config = run.config
    names = ("codec", "recognizer", "lambdas", "betas", "seed")
    values = {name: getattr(config, name) for name in names}
    stages = {"stage1": config.stage1, "stage2": config.stage2}
    values |= {f"{name}_{field}": value for name, stage in stages.items() for field, value in asdict(stage).items()}
    return values | {"preset": run.preset, "data": config.data.digest(), "folder": str(run.path.absolute())}


def _print_summary(
    run: RunFolder, table: PointTable, display: Display, seconds: float, train_seconds: float, memory: int
) -> None:
    share = train_seconds / (seconds * display.workers)
    display.print(report.summary(table.frame))
    display.print(display.table())
    display.print(
        f"{clock(seconds)} of wall time, {100 * share:.0f}% of {display.workers} workers' time in training, "
        f"{memory / 2**30:.1f} GiB of memory at the peak"
    )
    display.print(f"report:  {run.path / 'report.html'}")
    display.print(f"MLflow:  mlflow ui --backend-store-uri {run.tracking_uri}")
    display.print(f"export:  python -m sweep.pick {run.path} --max-bpp 0.1 --out model.pt")
