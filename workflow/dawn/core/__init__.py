"""The ground that every room stands on: command line, files, code dependencies. Imports no torch."""
