"""Image codecs, frozen text recognizers, the losses between them and the .tfic file format.

May import nothing of `datagen` or `sweep`, and neither Ray, Optuna, MLflow nor TRDG.
"""
