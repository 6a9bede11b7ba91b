"""Reading of tar archives, and of the batches in those of CIFAR."""
