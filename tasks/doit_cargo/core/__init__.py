"""Pure: nouns, decoding and rules. Reads files, never writes or runs anything."""
