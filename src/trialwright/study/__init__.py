"""What was promised? A study folder becomes one frozen value."""
