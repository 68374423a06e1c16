"""One file a published idea beyond the core."""
