"""What Cargo's files say: the crate graph, a crate's inputs, the command that builds."""
