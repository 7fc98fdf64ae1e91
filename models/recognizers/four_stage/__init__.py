"""The four-stage framework of Baek et al. (ICCV 2019): transformation, features, sequence, prediction.

May import nothing of `models` but `models.errors` and `models.weights`.
"""
