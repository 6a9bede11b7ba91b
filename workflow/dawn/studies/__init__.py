"""What a study does with its results: statistics, table, plots, page."""
