"""The questions of the lesson: their words and readings in YAML, their facts in modules.

rolling          notebooks 1 and 2
rolling_back     notebook 3
services         notebooks 0, 4 and 5
common, spec_updates   what their readings share
"""

from labkit.lessons.checks import content
from labkit.lessons.checks.question import Question
from labkit.lessons.checks.questions import rolling, rolling_back, services

_MODULES = (rolling, rolling_back, services)

#: Each question by its name, in the order of the lesson.
QUESTIONS = content.in_order(Question, _MODULES, content.QUESTIONS)
