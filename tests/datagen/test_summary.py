"""What a data set looks like, for people."""

import json
from collections import Counter
from pathlib import Path

from PIL import Image, ImageDraw

from datagen import dataset, summary
from datagen.spec import SPLITS, DatasetSpec


def test_each_split_has_its_sheet_and_figures(data_folder: Path, spec: DatasetSpec) -> None:
    said = summary.write(data_folder)
    assert json.loads((data_folder / summary.SUMMARY).read_text()) == said
    for split in SPLITS:
        texts = dataset.load(data_folder, split).texts
        assert said[split]["images"] == len(texts)
        assert said[split]["characters"] == dict(sorted(Counter("".join(texts)).items()))
        assert sum(said[split]["fonts"].values()) == len(texts)
        with Image.open(data_folder / summary.sheet_name(split)) as sheet:
            rows = -(-len(texts) // summary.COLUMNS)
            assert sheet.width > summary.COLUMNS * spec.width
            # The ink stands below each image.
            assert sheet.height > rows * 2 * spec.height


def test_a_caption_has_the_euro() -> None:
    font = summary.caption_font(12)
    euro, box = (Image.new("1", (20, 20)) for _ in range(2))
    for picture, character in ((euro, "€"), (box, "\uffff")):
        ImageDraw.Draw(picture).text((0, 0), character, 1, font)
    assert euro.tobytes() != box.tobytes()
