"""What lesson 06 puts on trial: the published system, priors of one image, starts of a chain."""
