"""One training step and all that it consists of."""
