"""GANs: a generator and a critic."""
