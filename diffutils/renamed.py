"""stub"""
MOVED = {}
