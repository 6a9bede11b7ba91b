"""Reproductions: whether new trainings agree with published results."""
