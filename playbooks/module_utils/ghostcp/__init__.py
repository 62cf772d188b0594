"""What runs on a managed host: resources observed and changed there, with Python's standard library alone."""
