"""Images: files, sizes, colors, boxes."""
