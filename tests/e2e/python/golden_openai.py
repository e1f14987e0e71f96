"""How the `openai` package takes answers."""

import openai
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import InputTokenCountResponse, Response, ResponseStreamEvent
from pydantic import TypeAdapter

from support import client

CLIENT = client()
EVENT = TypeAdapter(ResponseStreamEvent)


def whole_chat(request):
    answer = CLIENT.post("/chat/completions", body=request, cast_to=ChatCompletion)
    # The package does not check what it parses by itself.
    ChatCompletion.model_validate(answer.to_dict())
    assert answer.choices[0].finish_reason
    return "answer"


def streamed_chat(request):
    stream = CLIENT.post(
        "/chat/completions",
        body=request,
        cast_to=ChatCompletion,
        stream=True,
        stream_cls=openai.Stream[ChatCompletionChunk],
    )
    reasons = []
    with stream:
        for chunk in stream:
            ChatCompletionChunk.model_validate(as_declared(chunk.to_dict()))
            reasons += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
    assert len(reasons) == 1, reasons
    return "answer"


def as_declared(chunk):
    """The chunk without calls of custom tools, which OpenAI sends but its specification, and so the package, does not
    declare in streams: https://github.com/openai/openai-openapi/issues/576."""
    for choice in chunk["choices"]:
        calls = choice["delta"].get("tool_calls", [])
        for call in [call for call in calls if "custom" in call]:
            assert call.get("type", "custom") == "custom", call
            assert isinstance(call["custom"].get("input"), str), call
            calls.remove(call)
    return chunk


def whole_response(request):
    answer = CLIENT.post("/responses", body=request, cast_to=Response)
    Response.model_validate(answer.to_dict())
    assert answer.status in ("completed", "incomplete"), answer.status
    return "answer"


def streamed_response(request):
    stream = CLIENT.post(
        "/responses",
        body=request,
        cast_to=Response,
        stream=True,
        stream_cls=openai.Stream[ResponseStreamEvent],
    )
    # Closed whatever happens: left to the garbage collector, it may be closed while the package holds its own lock.
    with stream:
        return read_response(stream)


def read_response(stream):
    # The package's own accumulator, which is picky about what it is fed.
    state = ResponseStreamState(input_tools=[], text_format=openai.omit)
    for number, event in enumerate(stream):
        assert event.sequence_number == number, event
        if event.type == "response.failed":
            assert event.response.error.code and event.response.error.message
            return "stream error"
        EVENT.validate_python(event.to_dict())
        state.handle_event(event)
    assert event.type in ("response.completed", "response.incomplete"), event.type
    return "answer"


def counted(request):
    count = CLIENT.post("/responses/input_tokens", body=request, cast_to=InputTokenCountResponse)
    InputTokenCountResponse.model_validate(count.to_dict())
    assert count.input_tokens > 0, count
    return "answer"


#: By path, for whole answers and for streams.
HOW = {
    "/v1/chat/completions": (whole_chat, streamed_chat),
    "/v1/responses": (whole_response, streamed_response),
    "/v1/responses/input_tokens": (counted, counted),
}
