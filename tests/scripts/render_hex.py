"""Renders so many images where Pillow has no raqm, and prints each one's bytes in hexadecimal digits."""

import sys

from PIL import features

from datagen.render import render
from datagen.spec import DatasetSpec

assert not features.check("raqm")
for index in range(int(sys.argv[1])):
    print(render(DatasetSpec(), "train", index).image.hex())
