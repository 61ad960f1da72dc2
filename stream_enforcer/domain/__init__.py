"""The pure core: from a record to a decision, with no clock, file, socket, log or random number."""
