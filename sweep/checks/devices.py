"""What the machine computes with: GPUs, and numbers of 16 bits."""

from pathlib import Path

import torch

from sweep.checks.finding import Finding, gib
from sweep.training.loop import computes_bfloat16

DRIVER = Path("/proc/driver/nvidia/version")
"""There where NVIDIA's driver is loaded."""
NEEDED = 4 * 2**30
"""Free memory of a GPU on which the preset paper can train."""


def gpus(counted: int | None = None) -> list[Finding]:
    """The GPUs that PyTorch can use, each tried, against those that Ray counts."""
    if not torch.cuda.is_available():
        return [_without(counted or 0)]
    found = [_gpu(index) for index in range(torch.cuda.device_count())]
    if counted is not None and counted != len(found):
        fix = f"start this node with ray start --num-gpus {len(found)}"
        found.append(Finding("warn", "GPU", f"Ray counts {counted}, PyTorch {len(found)}", fix))
    return found


def _without(counted: int) -> Finding:
    if counted:
        fix = "see nvidia-smi there, and the CUDA that the node's PyTorch is made for; else start it with --num-gpus 0"
        return Finding("FAIL", "GPU", f"Ray counts {counted}, but PyTorch can use none", fix)
    if DRIVER.exists() or Path("/dev/nvidia0").exists():
        made_for = torch.version.cuda or "none"
        return Finding(
            "FAIL",
            "GPU",
            f"NVIDIA's driver is here, but PyTorch (CUDA {made_for}) can use no GPU",
            "see nvidia-smi: give the container its GPUs (--gpus all), or install a driver for that CUDA",
        )
    return Finding("ok", "GPU", "none: training runs on the cores")


def _gpu(index: int) -> Finding:
    name = torch.cuda.get_device_name(index)
    try:
        # One that is broken, or too old for this PyTorch, shows it at the first kernel.
        ones = torch.ones(64, 64, device=f"cuda:{index}")
        assert (ones @ ones).sum().item() == 64**3, "a wrong product"
        free, total = torch.cuda.mem_get_info(index)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        return Finding(
            "FAIL", "GPU", f"{index}: {name} does not compute ({reason})", "leave it out of CUDA_VISIBLE_DEVICES"
        )
    said = f"{index}: {name}, {gib(free)} free of {gib(total)}"
    if free < NEEDED:
        return Finding("warn", "GPU", said, "end what else uses it (nvidia-smi names it), or trials may find no room")
    return Finding("ok", "GPU", said)


def bfloat16() -> Finding:
    """Whether training computes in bfloat16, and what that means for its time."""
    if torch.cuda.is_available():
        if computes_bfloat16(torch.device("cuda")):
            return Finding("ok", "bfloat16", "by the GPU")
        return Finding(
            "warn", "bfloat16", "not by this GPU: float32", "an Ampere or newer GPU trains about twice as fast"
        )
    if computes_bfloat16(torch.device("cpu")):
        units = [name for name, flag in UNITS.items() if torch.cpu.get_capabilities().get(flag, False)]
        return Finding("ok", "bfloat16", f"by {' and '.join(units)}: the preset cpu takes half an hour on two cores")
    return Finding(
        "warn",
        "bfloat16",
        "not by these cores: float32, in which training takes about three times as long",
        "give --hours, or a processor with AVX-512 BF16 or AMX (Intel since 2023, AMD since 2022)",
    )


UNITS = {"AVX-512 BF16": "avx512_bf16", "AMX": "amx_bf16"}
