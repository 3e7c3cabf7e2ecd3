"""Sessions that recover: what makes them ready, runs hooks beside them, and stops threads."""
