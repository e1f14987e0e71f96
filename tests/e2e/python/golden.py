"""Sends the requests that come in, a JSON string each, and says how the package took each answer."""

import json
import sys

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from support import client

CLIENT = client()


def whole(request):
    answer = CLIENT.post("/chat/completions", body=request, cast_to=ChatCompletion)
    # The package does not check what it parses by itself.
    ChatCompletion.model_validate(answer.to_dict())
    assert answer.choices[0].finish_reason
    return "answer"


def streamed(request):
    stream = CLIENT.post(
        "/chat/completions",
        body=request,
        cast_to=ChatCompletion,
        stream=True,
        stream_cls=openai.Stream[ChatCompletionChunk],
    )
    reasons = []
    for chunk in stream:
        ChatCompletionChunk.model_validate(chunk.to_dict())
        reasons += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
    assert len(reasons) == 1, reasons
    return "answer"


def outcome(request):
    try:
        return streamed(request) if request.get("stream") else whole(request)
    except openai.APIStatusError as error:
        return str(error.status_code)
    except openai.APIError:
        return "stream error"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


for line in sys.stdin:
    print(json.dumps(outcome(json.loads(json.loads(line)))), flush=True)
