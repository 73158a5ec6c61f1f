# What JSON Schema cannot say of an event, said to schemathesis: that timestamps are of these days, and what texts of
# events look like on the inside. Loaded through SCHEMATHESIS_HOOKS.

import json
import re
import uuid
from datetime import datetime, timedelta, timezone

import schemathesis
from hypothesis import strategies as st

# Two clocks may differ by as much, and an event is still neither too old nor in the future.
HOURS = 11
now = datetime.now(timezone.utc)

schemathesis.openapi.format(
    "date-time",
    st.datetimes(
        min_value=(now - timedelta(hours=HOURS)).replace(tzinfo=None),
        max_value=(now + timedelta(hours=HOURS)).replace(tzinfo=None),
        timezones=st.just(timezone.utc),
    ).map(lambda moment: moment.isoformat()),
)

# The years 1900 to 2299, in epoch milliseconds, as the document has it.
STORABLE = (-2_208_988_800_000, 10_413_791_999_999)


def recent(value):
    """A number that is a time becomes one of these days; one that is none stays what it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if not STORABLE[0] <= value <= STORABLE[1]:
        return value
    return now.timestamp() * 1000 - abs(value) % (HOURS * 3_600_000)


def with_recent_times(value):
    if isinstance(value, list):
        return [with_recent_times(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: recent(inner) if name in ("timestamp", "sent_at") else with_recent_times(inner)
        for name, inner in value.items()
    }


@schemathesis.hook
def before_call(context, case, kwargs):
    case.body = with_recent_times(case.body)
    # One that was used for another request is refused, as it should be.
    if re.fullmatch("[!-~]{1,255}", str((case.headers or {}).get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


# A page's cursor and a version's tag are the server's: nobody can make one up.
SERVERS_OWN = ("cursor", "If-Match")


LINES = ("application/x-ndjson", "application/jsonl")
# Not asked here: of a form it makes text of everything, null among it, and what may stand in a CloudEvent's data depends on
# its type. test/e2e/ways-in.test.ts sends them, and test/e2e/openapi.test.ts their examples.
ELSEWHERE = (
    "application/x-www-form-urlencoded",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            kept = [one for one in operation.get("parameters", []) if one.get("name") not in SERVERS_OWN]
            if "parameters" in operation:
                operation["parameters"] = kept
        content = operations.get("post", {}).get("requestBody", {}).get("content", {})
        for media_type in ELSEWHERE:
            content.pop(media_type, None)
        for media_type, media in content.items():
            inside = media["schema"].get("contentSchema")
            if inside is None:
                continue
            # Examples are texts; a test posts them as they are.
            media.pop("examples", None)
            media["schema"] = (
                {"type": "array", "items": inside, "minItems": 1} if media_type in LINES else inside
            )


@schemathesis.serializer(*LINES)
def lines(context, value):
    events = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(event) for event in events).encode()


@schemathesis.serializer("text/plain")
def text(context, value):
    return json.dumps(value).encode()
