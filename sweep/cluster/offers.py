"""The GPUs of what a sweep would run on, before it is started."""

from typing import NamedTuple

import torch

from datagen import machines
from sweep.cluster import nodes


class Offer(NamedTuple):
    """GPUs that a sweep may use."""

    place: str
    """Whose they are, for a sentence."""
    up: int
    """Those that are there."""
    most: int
    """All that there may be at a time, with those that an autoscaler starts when they are asked for."""

    def __str__(self) -> str:
        if self.most > self.up:
            return f"{self.place} has {_counted(self.up)} now and may have {self.most}"
        return f"{self.place} has {_counted(self.up)}"


def gpus() -> Offer:
    """The GPUs of the cluster that a sweep joins, whose head may have none; without one, of this machine.

    Raises:
        SweepError: the cluster does not answer.
    """
    address = nodes.address()
    if address is None:
        return of_this_machine()
    with nodes.joined(address):
        return of_cluster(address)


def of_this_machine() -> Offer:
    """The GPUs that PyTorch can use here."""
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return Offer("this machine", found, found)


def of_cluster(address: str) -> Offer:
    """The GPUs of the connected cluster."""
    up = sum(int(machine.get("GPU", 0)) for machine in machines.up())
    most = sum(machine["GPU"] for machine in machines.machines())
    return Offer(f"the cluster at {address}", up, max(up, most))


def _counted(gpus: int) -> str:
    return f"{gpus or 'no'} GPU{'s' if gpus > 1 else ''}"
