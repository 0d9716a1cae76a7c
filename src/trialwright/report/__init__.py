"""How do we show it? Results and datasets in, pages out."""
