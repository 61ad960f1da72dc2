"""What a record of the ownership topic says, for its schema; `reference.native` reads it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, WithJsonSchema

from stream_enforcer.domain.ownership.graph import EntityType

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
Country = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2}$", "description": "ISO 3166-1 alpha-2"}),
]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
PerCent = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": "Per cent, 0 to 100, with six decimals at most; as text or as a number, read exactly",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 100},
                {"type": "string", "pattern": r"^(100(\.0{1,6})?|[0-9]{1,2}(\.[0-9]{1,6})?)$"},
            ],
        }
    ),
]


class _Statement(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: Text = Field(description="The record's key, too")


class EntityIdentifiers(BaseModel):
    """What an entity is known by; each is unique to it."""

    lei: Text | None = None
    registration_number: Text | None = None
    domain: Text | None = None


class EntityListing(BaseModel):
    """A list that an entity stands on; `since` counts, `until` does not."""

    topic: Text
    program: Text | None = None
    since: Day | None = None
    until: Day | None = None


class EntityStatement(_Statement):
    """A company, state or person."""

    kind: Literal["entity"]
    name: Text
    type: EntityType
    country: Country | None = Field(None, description="Jurisdiction of registration")
    headquarters: Country | None = None
    aliases: tuple[Text, ...] | None = None
    identifiers: EntityIdentifiers | None = None
    listings: tuple[EntityListing, ...] | None = None
    same_as: tuple[Text, ...] | None = Field(None, description="Ids of the same entity in other sources")


class StakeStatement(_Statement):
    """Who holds how much of whom: `share`, or bounds. What is not said is open, 0 below and 100 above."""

    kind: Literal["stake"]
    holder: Text
    held: Text
    share: PerCent | None = Field(None, description="Not beside share_min or share_max")
    share_min: PerCent | None = None
    share_max: PerCent | None = None
    since: Day | None = Field(None, description="First day on which it holds")
    until: Day | None = Field(None, description="First day on which it no longer holds")
    source: Text | None = None


class OwnershipStatement(RootModel[EntityStatement | StakeStatement]):
    """A record of the topic `ownership`. A record without a value removes the statement of its key."""
