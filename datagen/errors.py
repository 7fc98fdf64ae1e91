"""What can be wrong with a data set; every message names the value, the reason and the next step."""


def reason(error: Exception) -> str:
    """What an outside library says, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0]


class DataError(Exception):
    """A data set that cannot be made or used as asked."""


class SpecError(DataError):
    """A specification that no data set can satisfy."""


class ShardError(DataError):
    """A shard or manifest that is missing, damaged or of another data set."""


class ItemError(DataError):
    """One image of a source that cannot be used; the others can."""
