"""airbench94 and its relatives."""
