"""Loops with the package's own helpers: what they return is sent back as it is, including what they parsed."""

import openai
from pydantic import BaseModel

from support import INPUT, client, finish, user


class City(BaseModel):
    city: str


TOOLS = [openai.pydantic_function_tool(City, name=name) for name in ("get_weather", "get_time")]


def parse(**request):
    return client().chat.completions.parse(**request).choices[0].message


def stream(**request):
    with client().chat.completions.stream(**request) as events:
        for _ in events:
            pass
        return events.get_final_completion().choices[0].message


def tool_loop(ask, model):
    messages = user("call get_weather and get_time")
    message = ask(model=model, messages=messages, tools=TOOLS)
    messages.append(message)
    for call in message.tool_calls:
        result = f"{call.function.name} of {call.function.parsed_arguments.city}"
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    message = ask(model=model, messages=messages, tools=TOOLS)
    messages += [message, *user("Hi there")]
    return [message.content, ask(model=model, messages=messages, tools=TOOLS).content]


def structured_loop(ask, model):
    messages = user("Where?")
    cities = []
    for _ in range(2):
        message = ask(model=model, messages=messages, response_format=City)
        cities.append(message.parsed.city)
        messages += [message, *user("And then?")]
    return cities


LOOPS = {"tools": tool_loop, "structured": structured_loop}
HELPERS = {"parse": parse, "stream": stream}

finish(
    {
        f"{loop} {helper} {model}": LOOPS[loop](HELPERS[helper], model)
        for model, loops in INPUT["models"].items()
        for loop in loops
        for helper in HELPERS
    }
)
