"""From the rows and from Programs to C text."""
