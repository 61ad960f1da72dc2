"""The proof of an `ownership` object as a picture: holders above what they hold, in SVG or in DOT."""

from stream_enforcer.cli.picture.dot import dot
from stream_enforcer.cli.picture.parts import Described, Picture, picture
from stream_enforcer.cli.picture.svg import svg

__all__ = ["Described", "Picture", "dot", "picture", "svg"]
