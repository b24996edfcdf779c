"""How torch and the system say that memory gave out; known without importing torch."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says, on whatever device, that memory gave out: torch raises a RuntimeError for it."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said
