"""Processes, devices, clocks and memory."""
