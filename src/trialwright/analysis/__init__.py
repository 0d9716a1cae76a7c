"""Is it different? Analysis datasets in, results out, one row per number."""
