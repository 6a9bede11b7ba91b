"""Figures of generated images."""
