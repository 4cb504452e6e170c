"""The questions one can ask of a recording: predictions to compare, exercises to check. Pure.

finding     what a check says
attempts    the updates in a long recording, one by one
changeovers what an update did to each slot
stops       how long the tasks that are told to stop take to end
exercise    an exercise: what is asked, where it begins, its judge and hints
question    a prediction: its choices, and what a recording answers
exercises/  the exercises of the lesson, a module a subject
questions/  its questions, a module a notebook
content     what questions and exercises say, read from the YAML files in these folders
wording     words for times, counts and slots
"""

from __future__ import annotations

from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.lessons.checks.exercise import Begins, Evidence, Exercise, Image
from labkit.lessons.checks.exercises import EXERCISES
from labkit.lessons.checks.finding import Finding, Outcome
from labkit.lessons.checks.question import Choice, Compared, Question, Reading
from labkit.lessons.checks.questions import QUESTIONS

__all__ = [
    "EXERCISES",
    "QUESTIONS",
    "Attempt",
    "Begins",
    "Choice",
    "Compared",
    "Evidence",
    "Exercise",
    "Finding",
    "Image",
    "Outcome",
    "Question",
    "Reading",
    "attempts",
]
