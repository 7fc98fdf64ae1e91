"""A user's own images of every layout become a data set, and what cannot be used is named."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import lmdb
import polars as pl
import pyarrow as pa
import pytest
from labeled import WORDS, in_names, png
from PIL import Image
from pyarrow import parquet

from datagen import dataset, generate, importing, shards, sources
from datagen.errors import DataError, ShardError, SpecError
from datagen.importing import Canvas
from datagen.lines import READABLE
from datagen.shards import Manifest
from datagen.spec import SPLITS, ImportSpec


def bmp(data: bytes) -> bytes:
    """The same picture as another file."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).save(buffer, "BMP")
    return buffer.getvalue()


def in_csv(folder: Path) -> Path:
    (folder / "images").mkdir()
    rows = ["filename,label"]
    for number, word in enumerate(WORDS):
        (folder / "images" / f"{number}.png").write_bytes(png(number))
        rows.append(f'images/{number}.png,"{word}"')
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


def in_tsv(folder: Path) -> Path:
    (in_csv(folder) / "labels.csv").unlink()
    (folder / "gt.tsv").write_text("".join(f"images/{number}.png\t{word}\n" for number, word in enumerate(WORDS)))
    return folder / "gt.tsv"


def in_parquet(folder: Path) -> Path:
    images = [{"bytes": png(number), "path": None} for number in range(len(WORDS))]
    pl.DataFrame({"image": images, "text": WORDS}).write_parquet(folder / "part-0.parquet")
    return folder


def in_lmdb(folder: Path) -> Path:
    with lmdb.open(str(folder), map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"num-samples", str(len(WORDS)).encode())
        for number, word in enumerate(WORDS, start=1):
            transaction.put(b"image-%09d" % number, png(number))
            transaction.put(b"label-%09d" % number, word.encode())
    return folder


def imported(folder: Path) -> set[str]:
    return {text for split in SPLITS for text in dataset.load(folder, split).texts}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("layout", [in_names, in_csv, in_tsv, in_parquet, in_lmdb])
def test_every_layout_gives_its_images_and_texts(layout: Callable[[Path], Path], source: Path, tmp_path: Path) -> None:
    seen = []
    manifest = importing.import_images(
        layout(source), tmp_path / "out", Canvas(), report=lambda *done: seen.append(done)
    )
    assert seen[-1] == (40, 40)
    assert (Manifest.load(tmp_path / "out"), manifest.rejected) == (manifest, {})
    splits = [dataset.load(tmp_path / "out", split) for split in SPLITS]
    assert sorted(text for split in splits for text in split.texts) == sorted(WORDS)
    assert all(split.images.shape[1:] == (64, 256, 3) for split in splits)
    assert [len(split.texts) for split in splits] == [manifest.spec.train, manifest.spec.val, manifest.spec.test]


def test_more_images_move_none(source: Path, tmp_path: Path) -> None:
    in_names(source)
    importing.import_images(source, tmp_path / "before", Canvas())
    for number in range(40, 80):
        (source / f"more{number}_{number}.png").write_bytes(png(number))
    importing.import_images(source, tmp_path / "after", Canvas())
    for split in SPLITS:
        before, after = (dataset.load(tmp_path / name, split).texts for name in ("before", "after"))
        assert set(before) <= set(after)


def test_an_image_that_cannot_be_used_is_named_and_costs_nothing_else(source: Path, tmp_path: Path) -> None:
    in_csv(source)
    (source / "images" / "broken.png").write_bytes(png()[:-30])
    (source / "images" / "fine.png").write_bytes(png())
    with (source / "labels.csv").open("a") as table:
        table.write(
            "\nimages/broken.png,a\nimages/fine.png,\nimages/fine.png,a\u200bb\nimages/gone.png,b\nimages/\0.png,c\n"
        )
    manifest = importing.import_images(source, tmp_path / "out", Canvas())
    assert sum((manifest.spec.train, manifest.spec.val, manifest.spec.test)) == 40
    said = json.loads((tmp_path / "out" / "manifest.json").read_text())["rejected"]
    assert said == manifest.rejected
    reasons = {
        "images/broken.png (labels.csv, line 42)": "damaged",
        "images/fine.png (labels.csv, line 43)": "its label is empty",
        "images/fine.png (labels.csv, line 44)": r"not among --characters: '\u200b'",
        "images/gone.png (labels.csv, line 45)": "No such file",
        "images/\0.png (labels.csv, line 46)": "null byte",
    }
    assert said.keys() == reasons.keys()
    assert all(reason in said[name] for name, reason in reasons.items())


def test_a_label_has_the_recognizers_characters(source: Path, tmp_path: Path) -> None:
    in_csv(source)
    for number in (40, 41):
        (source / "images" / f"{number}.png").write_bytes(png(number))
    with (source / "labels.csv").open("a") as table:
        table.write("\nimages/40.png,naïve 日本\nimages/41.png,Gro\u0308ße\n")
    english = importing.import_images(source, tmp_path / "english", Canvas())
    assert english.rejected == {
        "images/40.png (labels.csv, line 42)": "its label has characters that are not among --characters: 'ï日本'",
        "images/41.png (labels.csv, line 43)": "its label has characters that are not among --characters: 'ßö'",
    }
    more = importing.import_images(source, tmp_path / "more", Canvas(), characters=READABLE + "ßi\u0308ö日本")
    assert not more.rejected
    assert {"naïve 日本", "Größe"} <= imported(tmp_path / "more")


def test_a_label_is_no_longer_than_the_canvas_has_room_for(source: Path, tmp_path: Path) -> None:
    in_csv(source)
    for number in (40, 41):
        (source / "images" / f"{number}.png").write_bytes(png(number))
    with (source / "labels.csv").open("a") as table:
        table.write(f"\nimages/40.png,{'ab' * 16}\nimages/41.png,{'ab' * 16}c\n")
    found = importing.import_images(source, tmp_path / "out", Canvas(width=128))
    reason = "its label has 33 characters; the canvas has room for 32"
    assert found.rejected == {"images/41.png (labels.csv, line 43)": reason}


def test_an_image_stands_in_the_folder(source: Path, tmp_path: Path) -> None:
    in_csv(source)
    (tmp_path / "other.png").write_bytes(png())
    with (source / "labels.csv").open("a") as table:
        table.write("\n../other.png,other\n")
    manifest = importing.import_images(source, tmp_path / "out", Canvas())
    assert manifest.rejected == {
        "../other.png (labels.csv, line 42)": "its path leaves the folder; import that one, or copy the images into it"
    }


@pytest.mark.parametrize("layout", [in_csv, in_tsv, in_parquet])
def test_a_folders_name_may_hold_brackets(layout: Callable[[Path], Path], tmp_path: Path) -> None:
    scans = tmp_path / "[2024] scans"
    scans.mkdir()
    importing.import_images(layout(scans), tmp_path / "[x]", Canvas())
    assert imported(tmp_path / "[x]") == set(WORDS)


def test_a_label_of_parquet_is_a_text_or_its_bytes(source: Path, tmp_path: Path) -> None:
    faults = {
        "none": (None, "its label is empty"),
        "number": (7, "its label is no text but of type int"),
        "list": (["word"], "its label is no text but of type list"),
        "bytes": (b"\xff", "its label is not UTF-8"),
    }
    in_parquet(source)
    for name, (label, _) in {**faults, "fine": ("5 €".encode(), "")}.items():
        parquet.write_table(pa.table({"image": [png()], "text": [label]}), source / f"{name}.parquet")
    manifest = importing.import_images(source, tmp_path / "out", Canvas())
    assert manifest.rejected == {f"{name}.parquet:0": fault for name, (_, fault) in faults.items()}
    assert imported(tmp_path / "out") == {*WORDS, "5 €"}


def test_a_label_of_lmdb_is_there_and_utf8(source: Path, tmp_path: Path) -> None:
    with lmdb.open(str(in_lmdb(source))) as environment, environment.begin(write=True) as transaction:
        transaction.delete(b"label-%09d" % 1)
        transaction.put(b"label-%09d" % 2, b"\xff")
        transaction.delete(b"image-%09d" % 3)
    manifest = importing.import_images(source, tmp_path / "out", Canvas())
    assert manifest.rejected == {
        "image-000000001": "its label is empty",
        "image-000000002": "its label is not UTF-8",
        "image-000000003": "it has no image",
    }


def test_a_source_that_breaks_is_named_and_not_the_target(source: Path, tmp_path: Path) -> None:
    in_parquet(source)
    pl.DataFrame({"text": WORDS}).write_parquet(source / "part-1.parquet")
    with pytest.raises(DataError, match=rf"^{source}/part-1\.parquet has no column image or .*; it has text$"):
        importing.import_images(source, tmp_path / "out", Canvas())
    assert not (tmp_path / "out").exists()
    (source / "part-1.parquet").unlink()
    found = sources.find(source)
    (source / "part-0.parquet").unlink()
    with pytest.raises(DataError, match=rf"^{source} cannot be read \(.*No such file.*\)$"):
        list(found.items())


def test_images_without_labels_are_split_by_themselves(source: Path, tmp_path: Path) -> None:
    manifest = importing.import_images(in_names(source), tmp_path / "out", Canvas(), labeled=False)
    assert isinstance(manifest.spec, ImportSpec)
    assert manifest.spec.unlabeled == 40
    assert set(dataset.load(tmp_path / "out", "train").texts) == {""}


def test_too_few_images_for_three_splits_are_refused(source: Path, tmp_path: Path) -> None:
    (source / "word_1.png").write_bytes(png())
    (source / "bad_1.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"every split needs one.*bad_1\.png: it is no image"):
        importing.import_images(source, tmp_path / "out", Canvas())


def test_sources_that_are_none_are_refused(source: Path, tmp_path: Path) -> None:
    (source / "notes.txt").write_text("nothing")
    for path in (source, source / "none", source / "notes.txt"):
        with pytest.raises(DataError, match=r"holds no image|does not exist|has one column"):
            importing.import_images(path, tmp_path / "out", Canvas())
    with pytest.raises(DataError, match="choose another --out"):
        importing.import_images(source, source, Canvas())


def test_a_label_that_no_reading_is_counted_against_is_left_out(source: Path, tmp_path: Path) -> None:
    in_csv(source)
    (source / "images" / "dashes.png").write_bytes(png(40))
    with (source / "labels.csv").open("a") as table:
        table.write("\nimages/dashes.png,-- -!\n")
    manifest = importing.import_images(source, tmp_path / "out", Canvas())
    [(name, said)] = manifest.rejected.items()
    assert name == "images/dashes.png (labels.csv, line 42)"
    assert said == "its label has no letter and no digit, which alone are counted as read"


def test_one_picture_has_one_text_and_stands_in_one_split(source: Path, tmp_path: Path) -> None:
    in_names(source)
    (source / "again_1.png").write_bytes(png(0))
    (source / "zzz_1.bmp").write_bytes(bmp(png(0)))
    (source / f"{WORDS[0]}_99.png").write_bytes(png(0))
    manifest = importing.import_images(source, tmp_path / "out", Canvas())
    said = "its picture is that of again_1.png, whose text is 'again'"
    assert manifest.rejected == dict.fromkeys((f"{WORDS[0]}_0.png", f"{WORDS[0]}_99.png", "zzz_1.bmp"), said)


def test_texts_that_look_like_none_are_refused_before_anything_is_written(source: Path, tmp_path: Path) -> None:
    for number in range(40):
        (source / f"{number}.png").write_bytes(png(number))
    told = []
    with pytest.raises(DataError, match=r"look like the files' numbers: .*--texts-are-right if they are"):
        importing.import_images(source, tmp_path / "out", Canvas(), understood=told.append)
    assert not (tmp_path / "out").exists()
    assert (told[0].texts, told[0].distinct) == (40, 40)
    importing.import_images(source, tmp_path / "out", Canvas(), sure=True)
    assert imported(tmp_path / "out") == {str(number) for number in range(40)}


def test_a_data_set_is_never_written_over(source: Path, tmp_path: Path) -> None:
    importing.import_images(in_names(source), tmp_path / "out", Canvas())
    with pytest.raises(DataError, match="holds a data set already"):
        importing.import_images(source, tmp_path / "out", Canvas())


def test_an_imported_set_is_verified_but_never_rendered(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = importing.import_images(in_names(source), out, Canvas())
    assert generate.ensure(manifest.spec, out) == manifest
    shard = out / shards.shards(manifest.spec)[0].name
    shard.unlink()
    with pytest.raises(ShardError, match="delete the folder and import again"):
        generate.ensure(manifest.spec, out)


def test_a_canvas_that_no_codec_takes_is_refused() -> None:
    with pytest.raises(SpecError, match="64 divides"):
        Canvas(width=100)
