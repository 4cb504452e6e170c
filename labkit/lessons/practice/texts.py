"""What the questions and exercises of the lesson say, as plain texts. Pure."""

from __future__ import annotations

from labkit.lessons import checks
from labkit.lessons.journal import Wording


def wordings() -> dict[str, Wording]:
    """Return what each question and exercise says, by its name."""
    questions = {
        name: Wording(
            question.title,
            question.text,
            {choice.key: choice.label for choice in question.choices},
            {choice.key: choice.belief for choice in question.choices},
        )
        for name, question in checks.QUESTIONS.items()
    }
    exercises = {name: Wording(each.title, each.task) for name, each in checks.EXERCISES.items()}
    return questions | exercises
