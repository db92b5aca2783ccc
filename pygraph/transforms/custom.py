"""x"""

from typing import Any


def custom_derivative(f: Any) -> Any:
    return f
