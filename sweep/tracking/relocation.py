"""Where MLflow looks for files: it keeps absolute paths, so those of a SQLite store that was moved are mended."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sweep.results.folder import sqlite_file

PICTURES = "mlruns"
PLACES = (("runs", "artifact_uri"), ("logged_models", "artifact_location"), ("model_versions", "storage_location"))
"""Columns of MLflow's tables that say where files of runs and of models lie."""


def place(file: Path, experiment: str) -> Path:
    """Where the pictures of a store in a SQLite file lie: beside it."""
    return file.absolute().parent / PICTURES / experiment


def mend(uri: str, experiment: str) -> None:
    """Has a store that was moved look for pictures and models beside the SQLite file.

    MLflow itself offers no way to change them. A store that was not moved, or lies on a server, is left as it is.
    """
    file = sqlite_file(uri)
    if file is None:
        return
    with closing(sqlite3.connect(file, timeout=60.0)) as database:
        query = "SELECT experiment_id, artifact_location FROM experiments WHERE name = ?"
        [(number, location)] = database.execute(query, (experiment,)).fetchall()
        here = place(file, experiment)
        if not _was_moved(location, here):
            return
        with database:
            new = here.as_uri()
            database.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (new, number))
            for table, column in PLACES:
                database.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                    (new, len(location) + 1, len(location) + 1, f"{location}/"),
                )


def _was_moved(location: str, here: Path) -> bool:
    old = Path(unquote(urlsplit(location).path))
    if not location.startswith("file:") or old.parts[-2:] != here.parts[-2:] or old == here:
        return False
    if old.exists():
        # The same folder by another name, or a file of the store that was moved alone.
        return here.exists() and not old.samefile(here)
    return True
