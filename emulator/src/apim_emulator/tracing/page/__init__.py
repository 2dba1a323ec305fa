"""Traces as web pages. They are made as trees of elements, so that no text can become markup."""

from apim_emulator.tracing.page.call import Beside, call_page, missing
from apim_emulator.tracing.page.calls import index

__all__ = ["Beside", "call_page", "index", "missing"]
