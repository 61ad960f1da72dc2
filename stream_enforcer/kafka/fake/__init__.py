"""A broker in memory and its clients: the task runs over them as over the real ones."""
