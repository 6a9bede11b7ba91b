"""The steps of the pipeline, a module a rule: ``python -m dawn.<step> --help``."""

import os
import sys

from dawn.core import out_of_memory

if sys.orig_argv[1:2] == ["-m"] and os.environ.get("DAWN_TRACEBACK") != "1":
    sys.excepthook = out_of_memory.hook
