"""What can be seen of the service from outside: metrics, logs, health, and the HTTP server for them."""
