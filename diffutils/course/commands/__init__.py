"""The commands that need no lesson; `__main__` joins them with those of the rooms."""
