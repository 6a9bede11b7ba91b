"""Readers of the archive layouts, a module a layout."""
