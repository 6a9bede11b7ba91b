"""Images of the user's own: found in a folder or an archive, split, and decoded to arrays of one size."""
