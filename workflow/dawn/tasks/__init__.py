"""What can be trained: one package for each task."""
