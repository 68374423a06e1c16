"""The frame of every experiment: arms, trainings, rows, effects, claims, charts."""
