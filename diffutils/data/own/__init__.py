"""Folders, tables and archives that others made: names, layouts, labels."""
