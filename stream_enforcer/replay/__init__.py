"""Events and decisions of the past: read from files, in order and in bounded memory."""
