"""What DNS has it that names, values and zones are (RFC 1035 and those after it); pure."""
