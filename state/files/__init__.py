"""Documents as files: read with every fault, and written so that they are read again."""
