"""What surrounds the lessons: budgets, the lesson object, headless runs and the commands."""
