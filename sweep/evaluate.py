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
from sweep.classical import ClassicalCodec

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH = 16
UNCOMPRESSED_BPP = 24.0


class RatePoint(NamedTuple):
    """What was measured; None where it does not apply. Means over the images."""

    bpp: float
    """Bits of the whole file per pixel."""
    accuracy: float
    """TFIC, section IV-A."""
    cer: float
    ocr_ms: float
    """The recognizer's reading of one image on the CPU."""
    ocr_ms_std: float
    bpp_payload: float | None = None
    """Without the file's header and checksum."""
    bpp_estimated: float | None = None
    """From the likelihoods of the latents."""
    psnr_db: float | None = None
    encode_ms: float | None = None
    """Of one image on the CPU, from pixels to the file's bytes."""
    encode_ms_std: float | None = None
    decode_ms: float | None = None


class Steer(NamedTuple):
    """What the search is told of a trial."""

    bpp: float
    """Estimated."""
    accuracy: float


def evaluate(trained: TrainedCodec, recognizer: Recognizer, data: TextImages) -> RatePoint:
    """Compresses every image to a file's bytes, restores it, and reads what came back. Runs on the CPU."""
    point, files = _measured(
        lambda image: container.encode(trained, image), lambda file: container.decode(trained, file), recognizer, data
    )
    return point._replace(
        bpp_payload=_rate([TficFile.unpack(file).stream for file in files], data),
        bpp_estimated=_estimated(trained, data.images),
    )


def evaluate_classical(codec: ClassicalCodec, recognizer: Recognizer, data: TextImages) -> RatePoint:
    """The same of a codec without training."""
    height, width = data.images[0].shape[:2]
    return _measured(codec.encode, lambda file: codec.decode(file, width, height), recognizer, data)[0]


def evaluate_uncompressed(recognizer: Recognizer, data: TextImages) -> RatePoint:
    """The recognizer's reading of the images as they are."""
    texts, ocr_ms = _timed(lambda image: recognizer.read(container.to_float(image))[0], data.images)
    return RatePoint(
        bpp=UNCOMPRESSED_BPP,
        accuracy=mean_accuracy(texts, data.texts),
        cer=character_error_rate(texts, data.texts),
        ocr_ms=statistics.fmean(ocr_ms),
        ocr_ms_std=statistics.pstdev(ocr_ms),
    )


def _measured(
    encode: Callable[[np.ndarray], bytes],
    decode: Callable[[bytes], np.ndarray],
    recognizer: Recognizer,
    data: TextImages,
) -> tuple[RatePoint, list[bytes]]:
    files, encode_ms = _timed(encode, data.images)
    decoded, decode_ms = _timed(decode, files)
    texts, ocr_ms = _timed(lambda image: recognizer.read(container.to_float(image))[0], decoded)
    point = RatePoint(
        bpp=_rate(files, data),
        accuracy=mean_accuracy(texts, data.texts),
        cer=character_error_rate(texts, data.texts),
        psnr_db=psnr_db(to_tensor(np.stack(decoded)), to_tensor(data.images)).mean().item(),
        encode_ms=statistics.fmean(encode_ms),
        encode_ms_std=statistics.pstdev(encode_ms),
        decode_ms=statistics.fmean(decode_ms),
        ocr_ms=statistics.fmean(ocr_ms),
        ocr_ms_std=statistics.pstdev(ocr_ms),
    )
    return point, files


def _rate(files: list[bytes], data: TextImages) -> float:
    height, width = data.images[0].shape[:2]
    return 8 * statistics.fmean(map(len, files)) / (height * width)


def read(images: UInt8[np.ndarray, "n h w 3"], recognizer: Recognizer) -> list[str]:
    """What the recognizer reads in each image: texts for images that have none."""
    return [text for batch in _batches(images) for text in recognizer.read(batch)]


@torch.no_grad()
def steer(trained: TrainedCodec, recognizer: Recognizer, data: TextImages) -> Steer:
    """A quick look at the validation images: estimated rate, and accuracy without writing files."""
    rates: list[float] = []
    texts: list[str] = []
    for images in _batches(data.images):
        output = trained.codec(images)
        rates += bits_per_pixel(output.likelihoods, images.shape[2] * images.shape[3]).tolist()
        texts += recognizer.read(output.x_hat.clamp(0, 1))
    return Steer(statistics.fmean(rates), mean_accuracy(texts, data.texts))


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
