"""A codec on a set of images -> one point of the rate-accuracy plane, measured on real files."""

import statistics
from collections.abc import Iterator
from dataclasses import replace
from operator import sub
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from datagen.dataset import TextImages, to_tensor
from models.files import pixels, tfic
from models.files.framing import TficFile
from models.files.model import TrainedCodec
from models.losses import bits_per_pixel
from models.metrics import accuracy, character_error_rate, mean_accuracy, psnr_db
from models.recognizers.base import FrozenRecognizer, Transcription
from sweep.baselines.measuring import timed
from sweep.results.point import RatePoint, Reading, ValidationMetrics

BATCH = 8
TIMED = 48
"""Images that the recognizer reads one by one too, for the time that an image takes alone."""
CPU = torch.device("cpu")


def evaluate(trained: TrainedCodec, recognizer: FrozenRecognizer, data: TextImages) -> RatePoint:
    """Compresses every image to a file's bytes, restores it, and reads what came back. Runs on the CPU."""
    files, encode_ms = timed(lambda image: tfic.encode(trained, image), data.images)
    restored, decode_ms = timed(lambda file: tfic.decode(trained, file), files)
    images, opened = np.stack(restored), [TficFile.unpack(file) for file in files]
    own = [file.own_bytes for file in opened]
    return replace(
        _as_read(images, recognizer, data.texts, [len(file) for file in files], own),
        bpp_own=_rate(own, data),
        bpp_payload=_rate([len(file.stream) for file in opened], data),
        bpp_estimated=_estimated(trained, data.images),
        psnr_db=psnr_db(to_tensor(images), to_tensor(data.images)).mean().item(),
        encode_ms=statistics.fmean(encode_ms),
        encode_ms_std=statistics.pstdev(encode_ms),
        decode_ms=statistics.fmean(decode_ms),
    )


def evaluate_uncompressed(recognizer: FrozenRecognizer, data: TextImages) -> RatePoint:
    """The recognizer's reading of the images as they are."""
    sizes = [image.nbytes for image in data.images]
    return _as_read(data.images, recognizer, data.texts, sizes, sizes)


def _as_read(
    images: UInt8[NDArray[Any], "n h w 3"],
    recognizer: FrozenRecognizer,
    texts: list[str],
    sizes: list[int],
    own: list[int],
) -> RatePoint:
    """A point of files of these sizes, with what the recognizers read in the images.

    Args:
        sizes: bytes of the whole files.
        own: bytes without those that all files have in common.
    """
    found = read(images, recognizer)
    said, confidences = [each.text for each in found], [each.confidence for each in found]
    _, ocr_ms = timed(lambda image: recognizer.read(pixels.to_float(image)), images[:TIMED])
    truths = [recognizer.as_read(text) for text in texts]
    scores = map(accuracy, said, truths)
    return RatePoint(
        bpp=8 * statistics.fmean(sizes) / (images.shape[1] * images.shape[2]),
        accuracy=mean_accuracy(said, truths),
        readings=tuple(map(Reading, range(len(said)), sizes, said, truths, scores, map(sub, sizes, own), confidences)),
        cer=character_error_rate(said, truths),
        ocr_ms=statistics.fmean(ocr_ms),
        ocr_ms_std=statistics.pstdev(ocr_ms),
        others={name: accuracy_of(other, images, texts) for name, other in recognizer.others.items()},
    )


def accuracy_of(
    recognizer: FrozenRecognizer, images: UInt8[NDArray[Any], "n h w 3"], texts: list[str], device: torch.device = CPU
) -> float:
    """Mean accuracy of a recognizer, which is on `device`; differences between characters that it cannot tell do not
    count."""
    said = (each.text for each in read(images, recognizer, device))
    return mean_accuracy(said, map(recognizer.as_read, texts))


def _rate(sizes: list[int], data: TextImages) -> float:
    """Bits per pixel of files of so many bytes."""
    height, width = data.images[0].shape[:2]
    return 8 * statistics.fmean(sizes) / (height * width)


def read(
    images: UInt8[NDArray[Any], "n h w 3"], recognizer: FrozenRecognizer, device: torch.device = CPU
) -> list[Transcription]:
    """What the recognizer, which is on `device`, reads in each image."""
    return [said for batch in batches(images) for said in recognizer.read(batch.to(device))]


def validate(
    trained: TrainedCodec, recognizer: FrozenRecognizer, data: TextImages, device: torch.device = CPU
) -> ValidationMetrics:
    """Measures the validation images through real files; the recognizer, which is on `device`, reads there."""
    files = [tfic.encode(trained, image) for image in data.images]
    restored = np.stack([tfic.decode(trained, file) for file in files])
    return ValidationMetrics(
        bpp=_rate([len(file) for file in files], data),
        accuracy=accuracy_of(recognizer, restored, data.texts, device),
        bpp_own=_rate([TficFile.unpack(file).own_bytes for file in files], data),
        psnr_db=psnr_db(to_tensor(restored), to_tensor(data.images)).mean().item(),
    )


@torch.no_grad()
def _estimated(trained: TrainedCodec, images: UInt8[NDArray[Any], "n h w 3"]) -> float:
    area = images.shape[1] * images.shape[2]
    factor = trained.codec.downsampling_factor
    outputs = (trained.codec(pixels.pad(batch, factor)) for batch in batches(images))
    rates = torch.cat([bits_per_pixel(output.likelihoods, area) for output in outputs])
    return statistics.fmean(cast("list[float]", rates.tolist()))  # pyright: ignore[reportUnknownMemberType]


def batches(images: UInt8[NDArray[Any], "n h w 3"]) -> Iterator[Float[torch.Tensor, "b 3 h w"]]:
    """The images as networks take them, a few at a time."""
    return (to_tensor(images[start : start + BATCH]) for start in range(0, len(images), BATCH))
