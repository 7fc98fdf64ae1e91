"""Lines of text that other software rendered: a headless browser's page, and a LibreOffice document's pages.

Needs `chromium`, `soffice` (LibreOffice Writer) and `pdftoppm` (poppler).
"""

import html
import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from datagen import texts
from datagen.dataset import TextImages
from datagen.spec import DatasetSpec

WIDTH, HEIGHT = 256, 64
FONTS = (
    "serif",
    "sans-serif",
    "monospace",
    "cursive",
    "DejaVu Sans",
    "DejaVu Serif",
    "Liberation Sans",
    "Liberation Serif",
)
POINTS_A_PIXEL = 0.75
CM_A_PIXEL = 2.54 / 96


class Line:
    """A text and how it is to look; ink and paper differ by a luminance of 70 at least."""

    def __init__(self, text: str, rng: random.Random) -> None:
        self.text = text
        self.font = rng.choice(FONTS)
        self.pixels = min(rng.randint(16, 44), int(1.1 * (WIDTH - 16) / len(text)))
        self.bold, self.italic = rng.random() < 0.3, rng.random() < 0.2
        dark, light = rng.randint(0, 90), rng.randint(160, 255)
        self.ink, self.paper = (dark, light) if rng.random() < 0.7 else (light, dark)
        self.tint = [rng.randint(-30, 30) for _ in range(3)] if rng.random() < 0.5 else [0, 0, 0]

    def colors(self) -> tuple[str, str]:
        """Of ink and paper, as #rrggbb."""
        inks = [self.ink] * 3, [min(255, max(0, self.paper + shift)) for shift in self.tint]
        return "#{:02x}{:02x}{:02x}".format(*inks[0]), "#{:02x}{:02x}{:02x}".format(*inks[1])


def lines(count: int, seed: int) -> list[Line]:
    """Texts of the test split: words, capitals, numbers."""
    rng = random.Random(seed)
    return [Line(texts.draw(DatasetSpec(), "test", rng), rng) for _ in range(count)]


def browser(wanted: list[Line]) -> TextImages:
    """A page of blocks of 256x64 pixels, cut apart."""
    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder) / "page.html", Path(folder) / "page.png"
        page.write_text(_page(wanted), encoding="utf-8")
        size = f"--window-size={WIDTH},{HEIGHT * len(wanted)}"
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", size, f"--screenshot={picture}"]
        subprocess.run(["chromium", *options, page.as_uri()], check=True, capture_output=True)
        pixels = np.asarray(Image.open(picture, formats=["PNG"]).convert("RGB"))
    blocks = pixels[: HEIGHT * len(wanted), :WIDTH].reshape(len(wanted), HEIGHT, WIDTH, 3)
    return TextImages(blocks, [line.text for line in wanted])


def office(wanted: list[Line]) -> TextImages:
    """A document whose pages are of 256x64 pixels, a line each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lines.fodt").write_text(_document(wanted), encoding="utf-8")
        convert = [
            "soffice",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            "pdf",
        ]
        subprocess.run([*convert, "lines.fodt"], cwd=folder, check=True, capture_output=True)
        size = ["-scale-to-x", str(WIDTH), "-scale-to-y", str(HEIGHT)]
        subprocess.run(["pdftoppm", *size, "-png", "lines.pdf", "page"], cwd=folder, check=True)
        pages = [
            np.asarray(Image.open(page, formats=["PNG"]).convert("RGB")) for page in sorted(folder.glob("page-*.png"))
        ]
    assert len(pages) == len(wanted), f"{len(wanted)} lines became {len(pages)} pages"
    return TextImages(np.stack(pages), [line.text for line in wanted])


def _page(wanted: list[Line]) -> str:
    blocks = []
    for line in wanted:
        ink, paper = line.colors()
        style = (
            f"width:{WIDTH}px;height:{HEIGHT}px;line-height:{HEIGHT}px;background:{paper};color:{ink};"
            f"font:{'italic ' * line.italic}{'bold ' * line.bold}{line.pixels}px/{HEIGHT}px {line.font};"
            "overflow:hidden;white-space:nowrap;padding-left:8px;box-sizing:border-box"
        )
        blocks.append(f'<div style="{style}">{html.escape(line.text)}</div>')
    return f'<!doctype html><meta charset="utf-8"><body style="margin:0">{"".join(blocks)}</body>'


def _document(wanted: list[Line]) -> str:
    styles, paragraphs = [], []
    for number, line in enumerate(wanted):
        ink, paper = line.colors()
        break_before = ' fo:break-before="page"' if number else ""
        weight = 'fo:font-weight="bold" ' * line.bold + 'fo:font-style="italic" ' * line.italic
        styles.append(
            f'<style:style style:name="L{number}" style:family="paragraph">'
            f'<style:paragraph-properties{break_before} fo:background-color="{paper}"/>'
            f'<style:text-properties style:font-name="{line.font}" fo:font-family="\'{line.font}\'" {weight}'
            f'fo:font-size="{line.pixels * POINTS_A_PIXEL}pt" fo:color="{ink}"/></style:style>'
        )
        paragraphs.append(f'<text:p text:style-name="L{number}">{html.escape(line.text)}</text:p>')
    names = ("office", "style", "text")
    spaces = "".join(f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    page = (
        f'<style:page-layout style:name="page"><style:page-layout-properties fo:page-width="{WIDTH * CM_A_PIXEL}cm" '
        f'fo:page-height="{HEIGHT * CM_A_PIXEL}cm" fo:margin="0.1cm"/></style:page-layout>'
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document{spaces} '
        'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3" '
        'office:mimetype="application/vnd.oasis.opendocument.text">'
        f"<office:automatic-styles>{page}{''.join(styles)}</office:automatic-styles>"
        '<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="page"/>'
        f"</office:master-styles><office:body><office:text>{''.join(paragraphs)}</office:text></office:body>"
        "</office:document>"
    )
