"""Color profiles, made of their numbers: what a phone's camera, a scanner or a printer's program puts into a file."""

import struct
from collections.abc import Callable

P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
"""Red, green and blue of Display P3, as a profile has them."""
P3_RED, SRGB_RED = (234, 51, 35), (255, 0, 0)
"""The same color."""
D50 = (0.9642, 1.0, 0.8249)


def srgb_curve(value: float) -> float:
    """Light of a value, 0 to 1 each; Display P3 has the same."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def display_p3() -> bytes:
    """Of a phone's photos."""
    colors = {f"{name}XYZ": _xyz(color) for name, color in zip("rgb", P3, strict=True)}
    return _profile("RGB ", "mntr", colors | {f"{name}TRC": _curve(srgb_curve) for name in "rgb"})


def linear_grey() -> bytes:
    """Of a scanner whose values are amounts of light."""
    return _profile("GRAY", "mntr", {"kTRC": _curve(lambda value: value)})


def black_printer() -> bytes:
    """Of a press whose cyan is black, and whose other inks are water."""
    grid = b"".join(bytes([0 if inks & 8 else 255, 128, 128]) for inks in range(16))
    identity = bytes(range(256))
    matrix = b"".join(_fixed(float(row == column)) for row in range(3) for column in range(3))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + 4 * identity + grid + 3 * identity
    return _profile("CMYK", "prtr", {"A2B0": table}, connection="Lab ")


def _profile(space: str, kind: str, tags: dict[str, bytes], connection: str = "XYZ ") -> bytes:
    text = b"text" + bytes(4) + b"none\0"
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags |= {"wtpt": _xyz(D50), "cprt": text, "desc": name}
    tags = {key: data + bytes(-len(data) % 4) for key, data in tags.items()}
    directory, data, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for key, content in tags.items():
        directory += key.encode() + struct.pack(">II", at + len(data), len(content))
        data += content
    size = at + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, kind.encode(), space.encode(), connection.encode())
    header += bytes(12) + b"acsp" + bytes(28) + b"".join(map(_fixed, D50))
    return header.ljust(128, b"\0") + directory + data


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(color: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, color))


def _curve(light: Callable[[float], float], steps: int = 1024) -> bytes:
    values = [round(65535 * light(step / (steps - 1))) for step in range(steps)]
    return b"curv" + bytes(4) + struct.pack(f">I{steps}H", steps, *values)
