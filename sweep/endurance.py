"""A store that may be away for a while: what fails is told once, and ends nothing."""

import functools
import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar, runtime_checkable

PATIENCE = 10
"""Times as long as a failed call took, nothing more is asked, so that a sweep hardly waits."""
LONGEST = 60.0
"""Seconds that this may last."""
P = ParamSpec("P")
T = TypeVar("T")


class Endurance:
    """How one store has answered of late."""

    def __init__(self, tell: Callable[[Exception], None]) -> None:
        """`tell` is called with the first error."""
        self._tell: Callable[[Exception], None] | None = tell
        self._asked_again = 0.0

    def renew(self) -> None:
        """Asks again at once."""
        self._asked_again = 0.0

    def attempt(self, call: Callable[[], T]) -> T | None:
        """What the call returns; None where it fails, or another has failed a moment ago."""
        started = time.monotonic()
        if started < self._asked_again:
            return None
        try:
            return call()
        # Stores of runs and of files raise errors of many libraries.
        except Exception as error:
            if self._tell is not None:
                self._tell(error)
            self._tell = None
            ended = time.monotonic()
            self._asked_again = ended + min(LONGEST, PATIENCE * (ended - started))
            return None


@runtime_checkable
class Enduring(Protocol):
    """What has such a store."""

    endurance: Endurance


S = TypeVar("S", bound=Enduring)


def endured(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T | None]:
    """The method as the object's endurance has it."""

    @functools.wraps(method)
    def attempted(self: S, *args: P.args, **kwargs: P.kwargs) -> T | None:
        return self.endurance.attempt(lambda: method(self, *args, **kwargs))

    return attempted
