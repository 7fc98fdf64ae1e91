"""A codec on a set of images -> one point of the rate-accuracy plane, measured on real files."""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from datagen.dataset import TextImages, to_tensor
from models.files import tfic
from models.files.model import TrainedCodec
from models.files.tfic import TficFile
from models.losses import bits_per_pixel
from models.metrics import accuracy, character_error_rate, mean_accuracy, psnr_db
from models.recognizers.base import FrozenRecognizer
from sweep.results.point import RatePoint, Reading, ValidationMetrics
from sweep.trials.classical import ClassicalCodec

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH = 16
CPU = torch.device("cpu")


def evaluate(trained: TrainedCodec, recognizer: FrozenRecognizer, data: TextImages) -> RatePoint:
    """Compresses every image to a file's bytes, restores it, and reads what came back. Runs on the CPU."""
    point, files = _measured(
        lambda image: tfic.encode(trained, image), lambda file: tfic.decode(trained, file), recognizer, data
    )
    return replace(
        point,
        bpp_payload=_rate([TficFile.unpack(file).stream for file in files], data),
        bpp_estimated=_estimated(trained, data.images),
    )


def evaluate_classical(codec: ClassicalCodec, recognizer: FrozenRecognizer, data: TextImages) -> RatePoint:
    """Measures a codec that needs no training as `evaluate` does a trained one."""
    height, width = data.images[0].shape[:2]
    return _measured(codec.encode, lambda file: codec.decode(file, width, height), recognizer, data)[0]


def evaluate_uncompressed(recognizer: FrozenRecognizer, data: TextImages) -> RatePoint:
    """The recognizer's reading of the images as they are."""
    return _as_read(data.images, recognizer, data.texts, [image.nbytes for image in data.images])


def _measured(
    encode: Callable[[NDArray[Any]], bytes],
    decode: Callable[[bytes], NDArray[Any]],
    recognizer: FrozenRecognizer,
    data: TextImages,
) -> tuple[RatePoint, list[bytes]]:
    files, encode_ms = _timed(encode, data.images)
    decoded, decode_ms = _timed(decode, files)
    images = np.stack(decoded)
    point = replace(
        _as_read(images, recognizer, data.texts, [len(file) for file in files]),
        psnr_db=psnr_db(to_tensor(images), to_tensor(data.images)).mean().item(),
        encode_ms=statistics.fmean(encode_ms),
        encode_ms_std=statistics.pstdev(encode_ms),
        decode_ms=statistics.fmean(decode_ms),
    )
    return point, files


def _as_read(
    images: UInt8[NDArray[Any], "n h w 3"], recognizer: FrozenRecognizer, texts: list[str], sizes: list[int]
) -> RatePoint:
    """A point of files of these sizes, with what the recognizers read in the images."""
    said, ocr_ms = _timed(lambda image: recognizer.read(tfic.to_float(image))[0], images)
    truths = [recognizer.as_read(text) for text in texts]
    scores = map(accuracy, said, truths)
    return RatePoint(
        bpp=8 * statistics.fmean(sizes) / (images.shape[1] * images.shape[2]),
        accuracy=mean_accuracy(said, truths),
        readings=tuple(map(Reading, range(len(said)), sizes, said, truths, scores)),
        cer=character_error_rate(said, truths),
        ocr_ms=statistics.fmean(ocr_ms),
        ocr_ms_std=statistics.pstdev(ocr_ms),
        others={name: accuracy_of(other, images, texts) for name, other in recognizer.others.items()},
    )


def accuracy_of(recognizer: FrozenRecognizer, images: UInt8[NDArray[Any], "n h w 3"], texts: list[str]) -> float:
    """Mean accuracy of a recognizer; differences between characters that the recognizer cannot tell do not count."""
    return mean_accuracy(read(images, recognizer), map(recognizer.as_read, texts))


def _rate(files: list[bytes], data: TextImages) -> float:
    height, width = data.images[0].shape[:2]
    return 8 * statistics.fmean(map(len, files)) / (height * width)


def read(images: UInt8[NDArray[Any], "n h w 3"], recognizer: FrozenRecognizer, device: torch.device = CPU) -> list[str]:
    """The text that the recognizer, which is on `device`, reads in each image."""
    return [text for batch in _batches(images) for text in recognizer.read(batch.to(device))]


def validate(
    trained: TrainedCodec, recognizer: FrozenRecognizer, data: TextImages, device: torch.device = CPU
) -> ValidationMetrics:
    """Measures the validation images through real files; the recognizer, which is on `device`, reads there."""
    files = [tfic.encode(trained, image) for image in data.images]
    restored = np.stack([tfic.decode(trained, file) for file in files])
    said = read(restored, recognizer, device)
    return ValidationMetrics(
        bpp=_rate(files, data),
        accuracy=mean_accuracy(said, map(recognizer.as_read, data.texts)),
        psnr_db=psnr_db(to_tensor(restored), to_tensor(data.images)).mean().item(),
    )


@torch.no_grad()
def _estimated(trained: TrainedCodec, images: UInt8[NDArray[Any], "n h w 3"]) -> float:
    pixels = images.shape[1] * images.shape[2]
    factor = trained.codec.downsampling_factor
    outputs = (trained.codec(tfic.pad(batch, factor)) for batch in _batches(images))
    rates = torch.cat([bits_per_pixel(output.likelihoods, pixels) for output in outputs])
    return statistics.fmean(cast("list[float]", rates.tolist()))  # pyright: ignore[reportUnknownMemberType]


def _batches(images: UInt8[NDArray[Any], "n h w 3"]) -> Iterator[Float[torch.Tensor, "b 3 h w"]]:
    return (to_tensor(images[start : start + BATCH]) for start in range(0, len(images), BATCH))


def _timed(work: Callable[[Item], Result], items: Iterable[Item]) -> tuple[list[Result], list[float]]:
    """Results and milliseconds of `work` on each item; one run beforehand is not counted."""
    results = list[Result]()
    times = list[float]()
    for item in items:
        if not results:
            work(item)
        started = time.perf_counter()
        results.append(work(item))
        times.append(1e3 * (time.perf_counter() - started))
    return results, times
