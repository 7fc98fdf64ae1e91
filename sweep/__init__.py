"""Sweeps the weights of rate and OCR loss and traces the rate-accuracy front.

The commands, a sweep (`launch`) and its phases (`phases`). The rooms, from the ground up: training, stages, results,
search, tracking, trials, cluster and simulation; each may import those before it.
"""
