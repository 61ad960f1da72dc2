"""`python -m stream_enforcer` is the command `stream-enforcer`."""

from stream_enforcer.cli import main

main()
