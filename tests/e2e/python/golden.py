"""Sends the requests of golden cases and says how the package took each answer."""

import json
import pathlib
import urllib.request

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from support import INPUT, client, finish

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


def queue(faults):
    """Makes these, and nothing else, the simulator's next answers."""
    url = INPUT["faults_url"]
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()
    body = json.dumps(faults).encode()
    head = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, body, head, method="POST")).close()


def outcome(folder, faults):
    queue(faults)
    request = json.loads(pathlib.Path(folder, "request.json").read_bytes())
    try:
        return streamed(request) if request.get("stream") else whole(request)
    except openai.APIStatusError as error:
        return str(error.status_code)
    except openai.APIError:
        return "stream error"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


FOLDERS, FAULTS = json.loads(pathlib.Path(INPUT["cases"]).read_bytes())
finish([outcome(folder, faults) for folder, faults in zip(FOLDERS, FAULTS)])
