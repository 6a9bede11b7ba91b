"""The settings of the networks, one module for each family."""
