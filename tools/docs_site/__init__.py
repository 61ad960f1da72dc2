"""The documentation as a site: `make docs` builds it from docs/ and what docs/ links to in the repository."""
