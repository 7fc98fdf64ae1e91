"""Starts Ray and ends it."""

from datagen import generate

with generate.ray_session(1):
    print("started")
