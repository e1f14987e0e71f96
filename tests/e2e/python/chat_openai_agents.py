"""openai-agents over chat completions: an agent with tools, structured output, streams of both."""

import asyncio

import openai
from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled

from loops import CALL, GREETING, KEY, QUESTION, Trip, get_time, get_weather, run
from support import INPUT

# Its traces go to OpenAI otherwise.
set_tracing_disabled(True)

TOOLS = [function_tool(get_weather), function_tool(get_time)]


def loop(play, **options):
    """A loop that plays one way with an agent."""

    async def with_agent(model):
        async with openai.AsyncOpenAI(base_url=INPUT["base_url"], api_key=KEY, max_retries=0) as client:
            return await play(Agent(name="e2e", model=OpenAIChatCompletionsModel(model, client), **options))

    return lambda model: asyncio.run(with_agent(model))


async def whole(agent, text):
    return (await Runner.run(agent, text)).final_output


async def streamed(agent, text):
    """The final output, and the pieces of all that was said on the way."""
    answer = Runner.run_streamed(agent, text)
    pieces = [
        event.data.delta
        async for event in answer.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    return answer.final_output, "".join(pieces)


async def tools(agent):
    return await whole(agent, CALL)


async def tools_streamed(agent):
    return (await streamed(agent, CALL))[0]


async def structured(agent):
    return (await whole(agent, QUESTION)).model_dump()


async def stream(agent):
    return (await streamed(agent, GREETING))[1]


run(
    tools=loop(tools, tools=TOOLS),
    tools_streamed=loop(tools_streamed, tools=TOOLS),
    structured=loop(structured, output_type=Trip),
    stream=loop(stream),
)
