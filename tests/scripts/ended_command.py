"""A command of a package that does one thing: python ended_command.py PACKAGE WORK"""

import importlib
import os
import signal
import sys

package, work = sys.argv[1:]
ended = importlib.import_module(f"{package}.console").ended


def main() -> int:
    match work:
        case "bytes":
            print(os.fsdecode(b"caf\xe9"))
        case "euro":
            print("\u20ac")
        case "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        case "lines":
            for _ in range(100_000):
                print("line")
        case "line":
            print("line")
        case "exit":
            print()
            raise SystemExit
    return 0


raise SystemExit(ended(main))
