"""The networks, each a function of its section of params.yaml, and what they predict."""
