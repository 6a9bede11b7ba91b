"""Darknet."""
