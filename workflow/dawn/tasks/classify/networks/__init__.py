"""Families of networks: one package for each."""
