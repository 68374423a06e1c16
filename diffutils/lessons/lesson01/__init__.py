"""Forward diffusion."""
