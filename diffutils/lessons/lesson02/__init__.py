"""DDPM training."""
