"""SavedModels: a folder with graphs, their signatures, their variables and their files."""
