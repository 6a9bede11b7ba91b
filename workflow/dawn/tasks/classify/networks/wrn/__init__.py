"""Wide ResNets."""
