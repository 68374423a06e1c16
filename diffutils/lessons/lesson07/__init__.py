"""Lesson 07, alias-free resampling, and samples that turn."""
