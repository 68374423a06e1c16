"""Images drawn by code: sprites and faces, without end."""
