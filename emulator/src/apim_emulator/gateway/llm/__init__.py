"""What the `llm-*` policies share: prompts, answers, tokens, safety and similarity."""
