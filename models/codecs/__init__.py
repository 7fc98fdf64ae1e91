"""Image codecs, x -> y -> bytes -> x_hat, and one codec conditioned on the loss weights.

The ground floor of `models`: may import `models.errors` and `models.weights` alone. CompressAI's door.
"""
