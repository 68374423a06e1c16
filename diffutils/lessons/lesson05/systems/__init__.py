"""The systems of lesson 05: what they are, how they are trained, used and measured."""
