"""Records and lines as tensors."""
