"""Zones beyond their own host: copies, delegations, and providers elsewhere."""
