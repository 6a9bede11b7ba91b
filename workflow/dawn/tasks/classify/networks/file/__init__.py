"""A network in a Python file of the user."""
