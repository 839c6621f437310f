"""headrace's models for LangChain, and LangChain's for headrace."""

from headrace_langchain.bridge import ChatHeadrace, to_langchain
from headrace_langchain.chat import ChatLangChain, from_langchain
from headrace_langchain.incoming import message_from_langchain, messages_from_langchain
from headrace_langchain.outgoing import message_to_langchain, messages_to_langchain

__all__ = [
    "ChatHeadrace",
    "ChatLangChain",
    "from_langchain",
    "message_from_langchain",
    "message_to_langchain",
    "messages_from_langchain",
    "messages_to_langchain",
    "to_langchain",
]
