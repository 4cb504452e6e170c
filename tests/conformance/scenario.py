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
    #: Whether it is also played where the engine's clock runs ahead of its containers', as one of
    #: each kind is; where it goes by the containers' own seconds, it does not hold there.
    ahead: bool


SCENARIOS: dict[str, Scenario] = {}


def scenario(*, lasts: float, ahead: bool = False) -> Callable[[Callable[[Play], None]], None]:
    """Enter a function into the suite under its own name; its docstring is the claim."""

    def enter(act: Callable[[Play], None]) -> None:
        name = act.__name__
        assert name not in SCENARIOS, name
        SCENARIOS[name] = Scenario(name, act, lasts, ahead)

    return enter
