"""The ownership snapshot: one immutable file that every process maps into memory and nobody copies.

`build` makes it (and alone needs numpy), `file` opens and checks it, `graph` answers from it.
"""
