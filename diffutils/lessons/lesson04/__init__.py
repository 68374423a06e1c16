"""EDM and phi*."""
