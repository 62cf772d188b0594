"""What certificates are had with: authorities, accounts, challenges, jobs, and the sites that show them."""
