"""Convolutions for CPUs in C++, compiled at the start."""
