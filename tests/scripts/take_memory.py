"""Takes 200 million bytes until standard input ends."""

import sys

data = bytearray(b"x" * 200_000_000)
print("full", flush=True)
sys.stdin.read()
