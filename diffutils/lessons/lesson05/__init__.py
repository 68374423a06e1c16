"""Lesson 05, colouring a sketch like a reference."""
