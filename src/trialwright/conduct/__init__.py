"""What happened? For now: the pure allocation function."""
