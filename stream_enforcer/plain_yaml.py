"""YAML without surprises: no references, and a value that is not of its kind is an error with its place."""

import yaml


class PlainLoader(yaml.SafeLoader):
    """The safe loader, refusing more: everything wrong with a document is a `yaml.YAMLError`.

    References (`*name`) are refused, because a few lines of them can stand for more values than fit in memory.
    Documents nested too deeply still raise RecursionError.
    """

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        """Compose the next node.

        Raises:
            yaml.composer.ComposerError: It is a reference.
        """
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the library's stubs lack it
            raise yaml.composer.ComposerError(None, None, "references to other values are not taken", mark)
        return super().compose_node(parent, index)  # type: ignore[arg-type]  # the library's stubs say int

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        """Return the value of a node.

        Raises:
            yaml.constructor.ConstructorError: It is no value of its kind, such as the day 2024-13-45.
        """
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            kind = node.tag.rpartition(":")[2]
            problem = f"found something else than a value of kind {kind}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error
