"""Runs two jobs of nothing with a progress bar."""

from pathlib import Path

from models.files import jobs

jobs.run([jobs.Job(Path(name), Path()) for name in "ab"], lambda job: f"result {job.source}")
