"""A codec on a set of images -> one point of the rate-accuracy plane, measured on real files."""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float, UInt8

from datagen.dataset import TextImages, to_tensor
from models import container
from models.container import TficFile
from models.losses import bits_per_pixel
from models.metrics import character_error_rate, mean_accuracy, psnr_db
from models.recognizers import Recognizer
from models.trained import TrainedCodec

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH = 16
UNCOMPRESSED_BPP = 24.0


class RatePoint(NamedTuple):
    """What was measured; None where it does not apply. Means over the images."""

    bpp: float
    """Bits of the whole file per pixel."""
    bpp_payload: float | None
    """Without the file's header and checksum."""
    bpp_estimated: float | None
    """From the likelihoods of the latents."""
    accuracy: float
    """TFIC, section IV-A."""
    cer: float
    psnr_db: float | None
    encode_ms: float | None
    """Of one image on the CPU, from pixels to the file's bytes."""
    encode_ms_std: float | None
    decode_ms: float | None
    ocr_ms: float
    """The recognizer's reading of one image on the CPU."""
    ocr_ms_std: float


class Steer(NamedTuple):
    """What the search is told of a trial."""

    bpp: float
    """Estimated."""
    accuracy: float


def evaluate(trained: TrainedCodec, recognizer: Recognizer, data: TextImages) -> RatePoint:
    """Compresses every image to a file's bytes, restores it, and reads what came back. Runs on the CPU."""
    files, encode_ms = _timed(lambda image: container.encode(trained, image), data.images)
    decoded, decode_ms = _timed(lambda file: container.decode(trained, file), files)
    read, ocr_ms = _timed(lambda image: recognizer.read(container.to_float(image))[0], decoded)
    pixels = data.images[0].shape[0] * data.images[0].shape[1]
    return RatePoint(
        bpp=8 * statistics.fmean(map(len, files)) / pixels,
        bpp_payload=8 * statistics.fmean(len(TficFile.unpack(file).stream) for file in files) / pixels,
        bpp_estimated=_estimated(trained, data.images),
        accuracy=mean_accuracy(read, data.texts),
        cer=character_error_rate(read, data.texts),
        psnr_db=psnr_db(to_tensor(np.stack(decoded)), to_tensor(data.images)).mean().item(),
        encode_ms=statistics.fmean(encode_ms),
        encode_ms_std=statistics.pstdev(encode_ms),
        decode_ms=statistics.fmean(decode_ms),
        ocr_ms=statistics.fmean(ocr_ms),
        ocr_ms_std=statistics.pstdev(ocr_ms),
    )


def evaluate_uncompressed(recognizer: Recognizer, data: TextImages) -> RatePoint:
    """The recognizer's reading of the images as they are."""
    read, ocr_ms = _timed(lambda image: recognizer.read(container.to_float(image))[0], data.images)
    return RatePoint(
        bpp=UNCOMPRESSED_BPP,
        bpp_payload=None,
        bpp_estimated=None,
        accuracy=mean_accuracy(read, data.texts),
        cer=character_error_rate(read, data.texts),
        psnr_db=None,
        encode_ms=None,
        encode_ms_std=None,
        decode_ms=None,
        ocr_ms=statistics.fmean(ocr_ms),
        ocr_ms_std=statistics.pstdev(ocr_ms),
    )


@torch.no_grad()
def steer(trained: TrainedCodec, recognizer: Recognizer, data: TextImages) -> Steer:
    """A quick look at the validation images: estimated rate, and accuracy without writing files."""
    rates: list[float] = []
    read: list[str] = []
    for images in _batches(data.images):
        output = trained.codec(images)
        rates += bits_per_pixel(output.likelihoods, images.shape[2] * images.shape[3]).tolist()
        read += recognizer.read(output.x_hat.clamp(0, 1))
    return Steer(statistics.fmean(rates), mean_accuracy(read, data.texts))


@torch.no_grad()
def _estimated(trained: TrainedCodec, images: UInt8[np.ndarray, "n h w 3"]) -> float:
    pixels = images.shape[1] * images.shape[2]
    factor = trained.codec.downsampling_factor
    outputs = (trained.codec(container.pad(batch, factor)) for batch in _batches(images))
    return statistics.fmean(rate for o in outputs for rate in bits_per_pixel(o.likelihoods, pixels).tolist())


def _batches(images: UInt8[np.ndarray, "n h w 3"]) -> Iterator[Float[torch.Tensor, "b 3 h w"]]:
    return (to_tensor(images[start : start + BATCH]) for start in range(0, len(images), BATCH))


def _timed(work: Callable[[Item], Result], items: Iterable[Item]) -> tuple[list[Result], list[float]]:
    """Results and milliseconds of `work` on each item; one run beforehand is not counted."""
    results, times = [], []
    for item in items:
        if not results:
            work(item)
        started = time.perf_counter()
        results.append(work(item))
        times.append(1e3 * (time.perf_counter() - started))
    return results, times
