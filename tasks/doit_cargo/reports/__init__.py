"""Rows and tables made from records and files on disk; they know nothing of doit."""
