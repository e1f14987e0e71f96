"""How the `anthropic` package takes answers."""

import inspect

import anthropic
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from pydantic import TypeAdapter

from support import ANTHROPIC_URL

CLIENT = anthropic.Anthropic(base_url=ANTHROPIC_URL, api_key="sk-client-secret", max_retries=0, timeout=60)
EVENT = TypeAdapter(RawMessageStreamEvent)
MESSAGES = "/v1/messages"


def check(message):
    # The package does not check what it parses by itself.
    Message.model_validate(message.to_dict())
    assert message.stop_reason, message
    return "answer"


def whole(request):
    return check(CLIENT.post(MESSAGES, body=request, cast_to=Message))


def streamed(request):
    stream = CLIENT.post(
        MESSAGES,
        body=request,
        cast_to=Message,
        stream=True,
        stream_cls=anthropic.Stream[RawMessageStreamEvent],
    )
    # The package's own accumulator, which is picky about what it is fed. Some versions keep state beside the message.
    state = {"json_bufs": {}} if "json_bufs" in inspect.signature(accumulate_event).parameters else {}
    message = None
    with stream:
        for event in stream:
            EVENT.validate_python(event.to_dict())
            message = accumulate_event(event=event, current_snapshot=message, **state)
    assert event.type == "message_stop", event
    return check(message)


def counted(request):
    count = CLIENT.post(f"{MESSAGES}/count_tokens", body=request, cast_to=MessageTokensCount)
    MessageTokensCount.model_validate(count.to_dict())
    return "answer"


#: By path, for whole answers and for streams.
HOW = {
    MESSAGES: (whole, streamed),
    f"{MESSAGES}/count_tokens": (counted, counted),
}
