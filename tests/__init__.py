"""Tests of the program; a folder with a file like this one has something that ends with the last test in it."""
