"""The Responses API: requests written, answers and streams read. Pure: no SDK, no I/O."""
