"""Inside the processes of submissions: what keeps them, what they may do, what they run."""
