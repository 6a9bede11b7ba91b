"""Figures of a classifier."""
