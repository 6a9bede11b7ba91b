"""A trained network in use: predictions for files, an exported network, a page to try it."""
