"""The steps of the pipeline, a module a rule: ``python -m dawn.<step> --help``."""
