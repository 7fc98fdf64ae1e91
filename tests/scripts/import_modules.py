"""Imports each of the modules that it is given."""

import importlib
import sys

for module in sys.argv[1:]:
    importlib.import_module(module)
