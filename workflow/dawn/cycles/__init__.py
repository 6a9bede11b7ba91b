"""CycleGAN: two generators and two critics, trained on images of two domains without pairs."""
