"""Loads the world: policy files, geo tables and ownership readers."""
