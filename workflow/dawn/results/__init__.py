"""What a finished run left: statistics over seeds, manifests."""
