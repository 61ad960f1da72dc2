"""A packaged demonstration: real address tables, an assembled ownership register, generated events."""
