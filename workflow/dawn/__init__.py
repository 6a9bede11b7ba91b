"""The steps of the pipeline, a module a rule: ``python -m dawn.<step> --help``."""

import os
import sys

from dawn.core import out_of_memory

if sys.orig_argv[1:2] == ["-m"] and os.environ.get("DAWN_TRACEBACK") != "1":
    sys.excepthook = out_of_memory.hook
if sys.orig_argv[1:2] == ["-m"]:  # a notebook's terminal may name a backend that is not installed; figures are files
    os.environ.pop("MPLBACKEND", None)
