"""LangChain over chat completions."""

from langchain_openai import ChatOpenAI

from loops import KEY
from support import INPUT
from with_langchain import play


def chat(model):
    return ChatOpenAI(model=model, base_url=INPUT["base_url"], api_key=KEY, max_retries=0)


play(chat, structured_by_tool="function_calling", structured_by_schema="json_schema")
