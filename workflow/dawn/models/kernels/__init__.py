"""Custom kernels: layers of a network in training on a CPU, computed by C++ that is compiled when a training starts."""
