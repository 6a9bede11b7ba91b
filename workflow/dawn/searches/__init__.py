"""Search for settings: trials by successive halving on the hold-out split, and the study that tests the winner."""
