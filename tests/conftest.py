"""How property tests run."""

from hypothesis import settings

settings.register_profile("laws", max_examples=60, deadline=None)
settings.load_profile("laws")
