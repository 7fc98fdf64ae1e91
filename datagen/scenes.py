"""Kinds of pictures that go together: what is written, what lies under it, and how it was printed and taken."""

from dataclasses import dataclass

from datagen.errors import SpecError
from datagen.lines import Background, Look


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A kind of picture, of which a data set has a share."""

    share: float
    """Of the images, 0 to 1."""
    words: tuple[int, int]
    """Fewest and most words, or random strings, a line."""
    amounts: float
    """Share of texts that are prices, dates, times or other numbers."""
    backgrounds: tuple[Background, ...]
    look: Look

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise SpecError(f"share={self.share} of a scene must be a share, 0 to 1")


RECEIPT = Scene(
    share=0.17,
    words=(1, 2),
    amounts=0.5,
    backgrounds=("paper",),
    look=Look(
        size=(0.6, 1.0), contrast=(70, 220), light=0, color=0.05, spacing=(0, 0.1), outline=0, distortion=0, skew=5,
        perspective=0.08, curvature=0.12, light_falloff=0.5, shadow=0.3, blur=0.8, noise=0.4, noise_level=(2, 10),
        jpeg=0.5, neighbor=0.3, dotted=0.35, dots=(11, 20), worn=0.4, folds=0.4, low_resolution=0.4, x_height=(6, 14),
        defocus=0.05, defocus_radius=(0.5, 1.2),
    ),
)  # fmt: skip
"""A cash register's print on thin paper, photographed."""
PAGE = Scene(
    share=0.17,
    words=(1, 3),
    amounts=0.1,
    backgrounds=("paper", "paper", "plain"),
    look=Look(
        size=(0.7, 1.0), contrast=(100, 250), light=0, color=0.1, spacing=(0, 0.03), outline=0, distortion=0, skew=2,
        perspective=0.03, curvature=0.1, light_falloff=0.4, shadow=0.15, blur=0.8, noise=0.4, noise_level=(1, 8),
        jpeg=0.5, neighbor=0.4, worn=0.1, folds=0.15, low_resolution=0.6, x_height=(6, 16),
    ),
)  # fmt: skip
"""A sheet, scanned or photographed."""
SCREEN = Scene(
    share=0.17,
    words=(1, 2),
    amounts=0.15,
    backgrounds=("plain", "plain", "plain", "gradient", "shapes"),
    look=Look(
        size=(0.5, 1.0), margin=2, contrast=(90, 255), light=0.25, color=0.3, spacing=(0, 0.02), space=(1, 1),
        outline=0, distortion=0, skew=0, perspective=0, curvature=0, light_falloff=0, shadow=0, blur=0, noise=0,
        jpeg=0.3, jpeg_quality=(40, 95), neighbor=0.2, low_resolution=0.9, x_height=(6, 11), subpixel=0.4,
    ),
)  # fmt: skip
"""A line of a browser or an office program, of letters of 10 to 20 pixels, enlarged."""
SIGN = Scene(
    share=0.17,
    words=(1, 2),
    amounts=0.1,
    backgrounds=("photo", "photo", "photo", "clouds", "shapes", "gradient"),
    look=Look(
        size=(0.5, 1.0), contrast=(110, 255), light=0.6, color=0.4, spacing=(0, 0.15), outline=0.15, distortion=0,
        skew=6, perspective=0.12, curvature=0.2, light_falloff=0.4, shadow=0.25, blur=0.8, noise=0.4, jpeg=0.4,
        panel=0.75, glare=0.15, moire=0.08, low_resolution=0.3, x_height=(8, 20), defocus=0.1, defocus_radius=(0.5, 2),
        motion=0.1, motion_length=(2, 5),
    ),
)  # fmt: skip
"""Signs, labels, goods and displays, photographed in passing."""
STAMP = Scene(
    share=0.06,
    words=(1, 1),
    amounts=0.3,
    backgrounds=("paper",),
    look=Look(
        size=(0.6, 0.9), margin=3, contrast=(80, 200), light=0, color=0.8, spacing=(0, 0.15), outline=0, distortion=0,
        skew=7, perspective=0.05, curvature=0.1, light_falloff=0.4, shadow=0.1, blur=0.9, noise=0.3, jpeg=0.4,
        frame=0.5, worn=0.7, folds=0.1, low_resolution=0.3, x_height=(8, 16),
    ),
)  # fmt: skip
"""A stamp's uneven print, often in a frame."""
RELEASE = (RECEIPT, PAGE, SCREEN, SIGN, STAMP)
