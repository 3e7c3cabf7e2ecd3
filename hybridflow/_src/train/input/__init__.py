"""Input by queues: runners that fill them, producers and batches."""
