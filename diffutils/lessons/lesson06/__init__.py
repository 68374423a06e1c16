"""Lesson 06, Deep Image Prior, and where a chain may start."""
