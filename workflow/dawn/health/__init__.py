"""The checks of a machine, a module for each kind; ``dawn.doctor`` runs them."""
