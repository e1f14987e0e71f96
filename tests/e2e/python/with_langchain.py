"""What LangChain does with a model, whichever API it speaks."""

from langchain.agents import create_agent

from loops import CALL, GREETING, QUESTION, Trip, get_time, get_weather, run


def play(chat, **methods):
    """Plays the loops with the models that `chat` makes of names; `methods` name ways to a structured answer."""

    def agent(model):
        return create_agent(chat(model), [get_weather, get_time])

    def tools(model):
        return agent(model).invoke({"messages": [("user", CALL)]})["messages"][-1].text

    def tools_streamed(model):
        pieces = agent(model).stream({"messages": [("user", CALL)]}, stream_mode="messages")
        # The third step is what the model says after the tools.
        return "".join(chunk.text for chunk, step in pieces if step["langgraph_step"] == 3)

    def structured(**options):
        def ask(model):
            return chat(model).with_structured_output(Trip, **options).invoke(QUESTION).model_dump()

        return ask

    def stream(model):
        return "".join(chunk.text for chunk in chat(model).stream(GREETING))

    by_method = {name: structured(method=method) for name, method in methods.items()}
    run(tools=tools, tools_streamed=tools_streamed, structured=structured(), stream=stream, **by_method)
