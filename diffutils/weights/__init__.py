"""What a trained network is on disk."""
