"""Layers of a network in training that are computed together on a CPU, by code in C++."""
