"""Containers of image files: which bytes each file of a batch repeats, and how a file is rebuilt from its own bytes."""
