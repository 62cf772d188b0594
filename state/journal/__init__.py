"""What happened: the audit, events, and the webhooks that are told of them."""
