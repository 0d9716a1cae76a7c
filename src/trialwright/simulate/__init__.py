"""What might have happened? A scenario in, SDTM out."""
