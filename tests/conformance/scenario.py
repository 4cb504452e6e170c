"""The register of scenarios."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.play import Play


@dataclass(frozen=True)
class Scenario:
    """One scenario: what is done and must be seen."""

    name: str
    act: Callable[[Play], None]
    #: About how many seconds it takes: the long ones begin first.
    lasts: float
    #: Whether it also holds where the engine's clock runs ahead of its containers'.
    any_speed: bool


SCENARIOS: dict[str, Scenario] = {}


def scenario(*, lasts: float, any_speed: bool = True) -> Callable[[Callable[[Play], None]], None]:
    """Enter a function into the suite under its own name; its docstring is the claim."""

    def enter(act: Callable[[Play], None]) -> None:
        name = act.__name__
        assert name not in SCENARIOS, name
        SCENARIOS[name] = Scenario(name, act, lasts, any_speed)

    return enter
