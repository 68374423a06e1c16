"""stub"""

MOVED = {}
