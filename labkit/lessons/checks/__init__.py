"""The questions one can ask of a recording: predictions to compare, exercises to check. Pure.

finding     what a check says
exercise    an exercise: what is asked, where it begins, its judge and hints
question    a prediction: its choices, and what a recording answers
content     where their words and rules are: YAML files in the folders below
exercises/  the exercises of the lesson
questions/  its questions
attempts    the updates in a long recording, one by one
lives       the life of each task: what an update did to its slot, how long it took to stop
"""

from labkit.lessons.checks.attempts import attempts, newest_took
from labkit.lessons.checks.exercise import Evidence, Exercise, Image
from labkit.lessons.checks.exercises import EXERCISES, TYPED
from labkit.lessons.checks.finding import Finding
from labkit.lessons.checks.question import Choice, Compared, Question, Reading
from labkit.lessons.checks.questions import QUESTIONS

__all__ = [
    "EXERCISES",
    "QUESTIONS",
    "TYPED",
    "Choice",
    "Compared",
    "Evidence",
    "Exercise",
    "Finding",
    "Image",
    "Question",
    "Reading",
    "attempts",
    "newest_took",
]
