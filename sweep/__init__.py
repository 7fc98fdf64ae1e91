"""Sweeps the weights of rate and OCR loss and traces the rate-accuracy front."""
