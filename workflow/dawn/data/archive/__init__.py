"""Readers of the archive layouts, one module for each layout."""
