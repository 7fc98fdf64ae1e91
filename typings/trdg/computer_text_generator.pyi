from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image as pillow
from PIL import ImageFont as pillow_font

# What of Pillow it draws with, which datagen/lettering.py puts others in place of.
Image: Any
ImageDraw: Any
ImageFont: Any
get_text_width: Callable[[pillow_font.FreeTypeFont, str], int]
get_text_height: Callable[[pillow_font.FreeTypeFont, str], int]
_compute_character_width: Callable[[pillow_font.FreeTypeFont, str], int]

def generate(
    text: Sequence[str],
    font: str,
    text_color: str,
    font_size: int,
    orientation: int,
    space_width: float,
    character_spacing: int,
    fit: bool,
    word_split: bool,
    stroke_width: int = 0,
    stroke_fill: str = "#282828",
) -> tuple[pillow.Image, pillow.Image]: ...
