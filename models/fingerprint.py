"""What tells one network's weights from another's."""

import hashlib

import numpy as np
import torch
from torch import Tensor


def fingerprint(identity: str, tensors: dict[str, Tensor]) -> bytes:
    """SHA-256 over a name and every tensor."""
    digest = hashlib.sha256(identity.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        # As bytes first: NumPy knows no bfloat16.
        digest.update(np.asarray(tensor.cpu().contiguous().reshape(-1).view(torch.uint8)).tobytes())
    return digest.digest()
