"""From an archive to augmented batches on the device."""
