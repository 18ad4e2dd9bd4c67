"""Side-by-side measurements of the desk and of plain clients: `make bench`."""
