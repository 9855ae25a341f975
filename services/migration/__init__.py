"""What SDK v1 calls everything done here, what SDK v2 calls it, and where each asset would go."""
