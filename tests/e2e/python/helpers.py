"""Loops with the package's own helpers: what they return goes back as it is, with what they parsed in it."""

import openai
from pydantic import BaseModel

from support import INPUT, client, finish, user

MODEL = INPUT["model"]


class City(BaseModel):
    city: str


TOOLS = [openai.pydantic_function_tool(City, name=name) for name in ("get_weather", "get_time")]


def parse(messages, **options):
    answer = client().chat.completions.parse(model=MODEL, messages=messages, **options)
    return answer.choices[0].message


def stream(messages, **options):
    with client().chat.completions.stream(model=MODEL, messages=messages, **options) as events:
        for _ in events:
            pass
        return events.get_final_completion().choices[0].message


def tool_loop(ask):
    messages = user("call get_weather and get_time")
    message = ask(messages, tools=TOOLS)
    messages.append(message)
    for call in message.tool_calls:
        result = f"{call.function.name} of {call.function.parsed_arguments.city}"
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    message = ask(messages, tools=TOOLS)
    messages += [message, *user("Hi there")]
    return [message.content, ask(messages, tools=TOOLS).content]


def structured_loop(ask):
    messages = user("Where?")
    cities = []
    for _ in range(2):
        message = ask(messages, response_format=City)
        cities.append(message.parsed.city)
        messages += [message, *user("And then?")]
    return cities


finish(
    {
        "tools": {"parse": tool_loop(parse), "stream": tool_loop(stream)},
        "structured": {"parse": structured_loop(parse), "stream": structured_loop(stream)},
    }
)
