"""What can be wrong with a machine, a module for each kind; dawn.doctor asks them all."""
