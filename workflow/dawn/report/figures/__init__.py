"""Figures: data in, a matplotlib figure out; nothing here reads a file."""
