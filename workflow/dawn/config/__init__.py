"""The experiment as typed, checked values; imports no torch."""
