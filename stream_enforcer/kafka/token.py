"""Tokens for OAUTHBEARER, from the function that the settings name."""

import asyncio
import re
from typing import Final

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from stream_enforcer.settings.security import TokenFunction

TOKEN_SECONDS: Final = 10.0

# b64token of RFC 6750, section 2.1. Anything else could add fields to the message that carries it.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class NoToken(KafkaError):  # type: ignore[misc]  # the client is untyped
    """The function gave no token; asked again with the next connection."""

    retriable = True


class Tokens(AbstractTokenProvider):  # type: ignore[misc]  # the client is untyped
    """Asks the function for a token, once for each connection."""

    def __init__(self, ask: TokenFunction) -> None:
        self._ask = ask

    async def token(self) -> str:
        """Return a token.

        Raises:
            NoToken: The function failed, was too slow, or gave something that is no token. The message never
                holds what it gave or said: either may be secret.
        """
        try:
            async with asyncio.timeout(TOKEN_SECONDS):
                token = await self._ask()
        except Exception as error:  # noqa: BLE001 - any other than the client's own would end its background tasks
            raise NoToken(f"the token function raised {type(error).__name__}") from None
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise NoToken("the token function returned something that is no token")
        return token
