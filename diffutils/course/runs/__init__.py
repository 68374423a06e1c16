"""Runs: a directory each, what decides a result, and lessons without a screen."""
