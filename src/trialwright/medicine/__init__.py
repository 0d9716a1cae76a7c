"""Published clinical rules. Knows no trial and no CDISC: expressions over a row, functions over a course."""
