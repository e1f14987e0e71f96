"""A complete round of tool calls: requested, called in parallel, answered; plain and streamed."""

import json

from support import INPUT, client, finish, user

MODEL = INPUT["model"]


def tool(name):
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("get_weather"), tool("get_time")]


def forced():
    answer = client().chat.completions.create(
        model=MODEL,
        messages=user("Hi"),
        tools=TOOLS,
        tool_choice={"type": "function", "function": {"name": "get_time"}},
    )
    return answer.choices[0].to_dict()


def round_trip():
    messages = user("call get_weather and get_time")
    first = client().chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
    message = first.choices[0].message
    # As in the package's documentation: the message is sent back unchanged.
    messages.append(message)
    for call in message.tool_calls:
        city = json.loads(call.function.arguments)["city"]
        result = f"{call.function.name} of {city}"
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    second = client().chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
    return {"reason": first.choices[0].finish_reason, "answer": second.choices[0].message.content}


def streamed():
    with client().chat.completions.stream(
        model=MODEL, messages=user("call get_weather and get_time"), tools=TOOLS
    ) as events:
        for _ in events:
            pass
        return events.get_final_completion().choices[0].to_dict()


finish({"forced": forced(), "round_trip": round_trip(), "streamed": streamed()})
