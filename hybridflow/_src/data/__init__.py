"""`hf.data`: what feeds programs, as pipelines of elements."""
