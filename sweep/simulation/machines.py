"""Workers in virtual time: when one is ready to work, and how long all of them are paid for."""

import math


class Machines:
    """Workers that are up from the start to the end, or that an autoscaler starts and lets go of."""

    def __init__(self, count: int, boot: float = 0.0, idle: float = math.inf) -> None:
        """All are up at time 0, unless they are let go of when idle: then none is.

        Args:
            boot: seconds until a worker that was not up is ready.
            idle: seconds of idleness after which a worker is let go of; infinite: never.
        """
        self._boot, self._idle = boot, idle
        self._freed = [0.0 if idle == math.inf else -math.inf] * count
        """When each worker that has no work had some last."""
        self.paid = 0.0
        """Seconds, summed over workers, so far: at work, starting, and idle before they went on."""

    def take(self, now: float) -> float:
        """When a worker that is asked for now is ready; the one that was at work last is asked."""
        freed = max(self._freed)
        self._freed.remove(freed)
        self._rest(now - freed)
        if now - freed <= self._idle:
            return now
        self.paid += self._boot
        return now + self._boot

    def work(self, seconds: float) -> None:
        """A worker works for so long."""
        self.paid += seconds

    def give(self, now: float) -> None:
        """A worker has no work any more."""
        self._freed.append(now)

    def end(self, now: float) -> None:
        """The sweep has ended; nobody works."""
        for freed in self._freed:
            self._rest(now - freed)

    def _rest(self, seconds: float) -> None:
        """A worker has had no work for so long, infinitely long where it was never up."""
        if seconds < math.inf:
            self.paid += min(seconds, self._idle)
