"""What is it called? SDTM domains, read or built, and the findings about them."""
