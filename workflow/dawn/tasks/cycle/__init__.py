"""CycleGANs: translation between two domains of images."""
