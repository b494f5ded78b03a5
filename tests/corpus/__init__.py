"""Programs that no one here wrote, and servers with much C in them."""
