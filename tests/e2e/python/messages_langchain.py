"""LangChain over Anthropic's Messages."""

from langchain_anthropic import ChatAnthropic

from loops import KEY
from support import ANTHROPIC_URL
from with_langchain import play


def chat(model):
    return ChatAnthropic(model=model, base_url=ANTHROPIC_URL, api_key=KEY, max_retries=0, max_tokens=4000)


play(chat, structured_by_tool="function_calling", structured_by_schema="json_schema")
