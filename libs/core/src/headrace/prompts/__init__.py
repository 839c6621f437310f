"""Prompts: templates with variables, made into text or messages."""

from headrace.prompts.base import BasePromptTemplate
from headrace.prompts.chat import ChatPromptTemplate
from headrace.prompts.few_shot import FewShotChatMessagePromptTemplate, FewShotPromptTemplate
from headrace.prompts.files import load_prompt
from headrace.prompts.message import (
    AIMessagePromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    MessageTemplate,
    SystemMessagePromptTemplate,
)
from headrace.prompts.text import PromptTemplate
from headrace.prompts.value import ChatPromptValue, PromptValue, StringPromptValue

__all__ = [
    "AIMessagePromptTemplate",
    "BasePromptTemplate",
    "ChatPromptTemplate",
    "ChatPromptValue",
    "FewShotChatMessagePromptTemplate",
    "FewShotPromptTemplate",
    "HumanMessagePromptTemplate",
    "MessageTemplate",
    "MessagesPlaceholder",
    "PromptTemplate",
    "PromptValue",
    "StringPromptValue",
    "SystemMessagePromptTemplate",
    "load_prompt",
]
