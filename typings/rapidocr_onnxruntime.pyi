from typing import Any

RapidOCR: Any
