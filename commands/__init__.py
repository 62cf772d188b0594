"""The commands of `ghostcp`, one module a group."""
