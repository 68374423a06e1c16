"""What lesson 04 puts on trial: the arms, where a walk starts and leaps, figures as published."""
