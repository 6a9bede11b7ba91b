"""Image files of any kind: found in a folder or an archive, split, and decoded to arrays of one size."""
