"""From the text of policy documents to what runs: parsed, checked, put together by scope and compiled."""
