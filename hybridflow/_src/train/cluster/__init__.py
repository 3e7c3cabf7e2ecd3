"""Names of many machines: which there are, and which ops stand where."""
