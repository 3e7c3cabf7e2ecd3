"""Images as files hold them: PNG, JPEG, GIF, BMP."""
