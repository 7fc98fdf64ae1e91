from typing import Any

helper: Any
numpy_helper: Any
