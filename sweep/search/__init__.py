"""Which point next: Optuna's samplers over the plane of loss weights, early stopping on the front. Optuna's door.

May import `sweep.results` and `sweep.stages`.
"""
