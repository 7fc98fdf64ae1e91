"""What can be wrong with a model or a file; every message names the value, the reason and the next step."""


class ModelError(Exception):
    """A model or compressed file that cannot be used as asked."""


class WeightsError(ModelError):
    """Weights that are missing, damaged or of another network."""


class FormatError(ModelError):
    """A .tfic file that is damaged or was written by another model."""


class ReadingError(ModelError):
    """Files that are written, but from which not all is read that is read in the originals."""
