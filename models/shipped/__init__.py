"""The model that comes along, so that nobody has to train one first: a dial for every rate. Its card is dial.md."""

from pathlib import Path
from typing import Annotated

import tyro

DIAL = Path(__file__).with_name("dial.pt")
CODEC = "small"
TARGET = "text"
"""What the decoder gives back."""
ModelFile = Annotated[Path, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the one that comes along)")]
"""A model on the command line."""
