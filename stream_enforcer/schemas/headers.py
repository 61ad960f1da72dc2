"""The headers of records, by name, as the text that their bytes are in UTF-8."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
Traceparent = Annotated[
    str,
    Field(description="W3C Trace Context"),
    StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$"),
]
Absent = SkipJsonSchema[None]
"""A header may be missing; it is never null."""
Tracestate = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class TraceHeaders(BaseModel):
    """Headers of an input record. All others, such as those of CloudEvents in binary mode, are ignored."""

    traceparent: Traceparent | Absent = None
    tracestate: Tracestate | Absent = None


class DecisionHeaders(TraceHeaders):
    """Headers of a decision: the trace of the record that caused it; those of CloudEvents only where they are set."""

    ce_specversion: Literal["1.0"] | Absent = None
    ce_type: Literal["stream-enforcer.decision.v1"] | Absent = None
    ce_source: str | Absent = Field(None, description="The setting cloudevents_source")
    ce_id: str | Absent = Field(None, description="The decision's decision_id")
    ce_time: str | Absent = Field(None, description="The decision's event_time")
    content_type: Literal["application/json"] | Absent = Field(None, alias="content-type")


class DeadLetterHeaders(BaseModel):
    """Headers that a dead letter has beside its source's own. Key and value are the source's bytes."""

    id: str = Field(
        alias="dlq.id", description="Topic, partition and offset of the source where it failed first"
    )
    topic: str = Field(alias="dlq.original.topic")
    partition: Number = Field(alias="dlq.original.partition")
    offset: Number = Field(alias="dlq.original.offset")
    timestamp: Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,19}$")] = Field(
        alias="dlq.original.timestamp", description="Epoch milliseconds"
    )
    timestamp_type: Literal["CreateTime", "LogAppendTime"] = Field(alias="dlq.original.timestamp.type")
    stage: Literal["decode", "validate", "oversize"] = Field(alias="dlq.error.stage")
    error: str = Field(alias="dlq.error.class")
    message: str = Field(
        alias="dlq.error.message", description="The field and what is wrong; never the value"
    )
    app: str = Field(alias="dlq.app")
    version: str = Field(alias="dlq.app.version")
    group: str = Field(alias="dlq.group")
    failed_at: Number = Field(alias="dlq.failed.at", description="Epoch milliseconds")
    redrives: Number = Field(alias="dlq.redrive.count", description="How often it was sent back")
    truncated: Number | Absent = Field(
        None, alias="dlq.truncated.bytes", description="Only with the stage oversize: how much was cut off"
    )
