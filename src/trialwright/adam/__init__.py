"""What does it mean? SDTM in, analysis datasets out."""
