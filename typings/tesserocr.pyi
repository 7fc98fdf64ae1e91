from typing import Any

PSM: Any
PyTessBaseAPI: Any
