"""What pydantic-ai does with a model, whichever API it speaks."""

from pydantic_ai import Agent, NativeOutput, ToolOutput

from loops import CALL, GREETING, QUESTION, Trip, get_time, get_weather, run


async def drain(_, events):
    async for _ in events:
        pass


def play(chat):
    """Plays the loops with the models that `chat` makes of names."""

    def with_tools(model):
        return Agent(chat(model), tools=[get_weather, get_time])

    def tools(model):
        return with_tools(model).run_sync(CALL).output

    def tools_streamed(model):
        # Somebody who wants the events makes it stream.
        return with_tools(model).run_sync(CALL, event_stream_handler=drain).output

    def structured(output):
        return lambda model: Agent(chat(model), output_type=output(Trip)).run_sync(QUESTION).output.model_dump()

    def stream(model):
        return "".join(Agent(chat(model)).run_stream_sync(GREETING).stream_text(delta=True))

    run(
        tools=tools,
        tools_streamed=tools_streamed,
        structured=structured(NativeOutput),
        structured_by_tool=structured(ToolOutput),
        stream=stream,
    )
