"""DDIM sampling."""
