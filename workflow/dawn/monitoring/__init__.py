"""What only reports on a training; an edit here changes no result and trains nothing again."""
