"""Generative adversarial networks: the generator, the critic, their losses, and their training."""
