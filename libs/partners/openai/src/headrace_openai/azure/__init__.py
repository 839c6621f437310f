"""Azure OpenAI and Azure AI Foundry, through the OpenAI SDK."""
