"""Images: what they are made of, and what may be in them."""
