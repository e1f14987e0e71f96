"""OpenAI's Responses API, used as in an application: answers, streams, structured output, and loops that send back what was returned."""

import openai
from pydantic import BaseModel

from support import INPUT, client, finish


class City(BaseModel):
    city: str


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False},
    {"type": "custom", "name": "apply_patch", "description": "Edits files."},
    {
        "type": "namespace",
        "name": "agents",
        "description": "Other agents.",
        "tools": [{"type": "function", "name": "get_time", "parameters": SCHEMA, "strict": False}],
    },
    {"type": "web_search"},
]


def create(model):
    answer = client().responses.create(model=model, input="Hi there", instructions="Be brief.")
    return [answer.status, answer.output_text]


def stream(model):
    with client().responses.stream(model=model, input="Hi there") as events:
        types = [event.type for event in events]
        return [types[0], types[-1], events.get_final_response().output_text]


def parse(model):
    return client().responses.parse(model=model, input="Where?", text_format=City).output_parsed.city


def streamed(**request):
    with client().responses.stream(**request) as events:
        for _ in events:
            pass
        return events.get_final_response()


def created(**request):
    return client().responses.create(**request)


def result(item):
    """The result of a call; nothing for other items."""
    if item.type == "function_call":
        kind, said = "function_call_output", f"{item.namespace or ''} {item.name} of {item.arguments}"
    elif item.type == "custom_tool_call":
        kind, said = "custom_tool_call_output", f"{item.name} of {item.input}"
    else:
        return []
    return [{"type": kind, "call_id": item.call_id, "output": said}]


def loop(ask, model):
    """Three turns, each with all earlier ones."""
    items = [{"role": "user", "content": "call get_weather and apply_patch and agents__get_time"}]
    request = {
        "model": model,
        "tools": TOOLS,
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "max_output_tokens": 8000,
    }
    kinds = []
    texts = []
    for _ in range(2):
        answer = ask(input=items, **request)
        kinds.append([item.type for item in answer.output])
        texts.append(answer.output_text)
        items += [item.to_dict() for item in answer.output]
        items += [output for item in answer.output for output in result(item)]
    items.append({"role": "user", "content": "Hi there"})
    texts.append(ask(input=items, **request).output_text)
    return {"kinds": kinds, "texts": texts}


def refused(**request):
    try:
        client().responses.create(**request)
    except openai.APIStatusError as error:
        return [error.status_code, error.code, error.param]


def counted(model):
    count = client().responses.input_tokens.count(model=model, input="Hi there", instructions="Be brief.")
    return [count.object, count.input_tokens > 0]


def missing(ask):
    """What is said of a response that would have to be stored."""
    try:
        ask("resp_1")
    except openai.NotFoundError as error:
        return [error.status_code, error.type, error.message]


RESPONSES = client().responses
MODELS = INPUT["models"]

finish(
    {
        "create": {model: create(model) for model in MODELS},
        "stream": {model: stream(model) for model in MODELS},
        "parse": {model: parse(model) for model in INPUT["shaped"]},
        "created loop": {model: loop(created, model) for model in INPUT["looping"]},
        "streamed loop": {model: loop(streamed, model) for model in INPUT["looping"]},
        "stored": refused(model=MODELS[0], input="Hi", previous_response_id="resp_1"),
        "counted": {model: counted(model) for model in MODELS},
        "missing": [
            missing(ask)
            for ask in (RESPONSES.retrieve, RESPONSES.delete, RESPONSES.cancel, RESPONSES.input_items.list)
        ],
        "unknown": refused(model="no-such-model", input="Hi"),
    }
)
