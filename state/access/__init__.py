"""Who may come in: passwords, second factors, API tokens, and tries that failed."""
