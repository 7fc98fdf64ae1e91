"""How a command ends: whatever ends it, by a line and a code, not by a traceback."""

import os
import sys
from collections.abc import Callable


def ended(main: Callable[[], int]) -> int:
    """Runs a command to its exit code, also where Ctrl-C ends it, or nobody reads what it prints any more.

    Names of files that are no UTF-8 are printed byte by byte as they are.
    """
    # Streams that stand in for it, as a test's, may have no encoding to speak of.
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="surrogateescape" if sys.stdout.encoding == "utf-8" else "backslashreplace")
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted; every file that was written is whole", file=sys.stderr)
    except BrokenPipeError:
        # Python writes out what is left when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
