"""A file of PostScript, and a Ghostscript that leaves a trace when it is started."""

from pathlib import Path

import pytest
from PIL import EpsImagePlugin

PAGE = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


def watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trace, which is not there yet."""
    program, trace = folder / "bin" / "gs", folder / "started"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    return trace
