"""What people watch: MLflow through a queue on disk, the display, the recorder that feeds both. MLflow's door.

May import `sweep.results` and `sweep.stages`.
"""
