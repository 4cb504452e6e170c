"""The syntax of Go's `text/template`: a text becomes nodes, or is refused in Go's words.

No package on PyPI does that without Go. What defines or calls other templates is refused.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from swarmsim.go.gojson import quoted

_OPEN = re.compile(r"\{\{(?P<comment>(?:- )?/\*.*?\*/(?: -)?\}\})?(?P<trim>-(?=\s))?", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<close>\s+-\}\}|\}\})|(?P<space>\s+)|(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<char>'(?:[^'\\\n]|\\.)+')|(?P<number>[+-]?(?:0x[\da-f_]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?))
    |(?P<field>\.[^\W\d]\w*)|(?P<dot>\.)|(?P<variable>\$\w*)|(?P<word>[^\W\d]\w*)
    |(?P<mark>:=|[!-~])""",
    re.VERBOSE | re.IGNORECASE,
)
_ENDS_WORD = re.compile(r"\s|[.,|:()=]|\}\}|$")
_VALUES = {"true": True, "false": False, "nil": None}
_BLOCKS = ("if", "range", "with")
_KEYWORDS = {*_BLOCKS, "else", "end", "define", "template", "block", "break", "continue"}


class BadTemplate(Exception):
    """A template that cannot be expanded, in Go's words."""


class Token(NamedTuple):
    """A word of a template, and where it is."""

    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        if self.kind == "keyword":
            return f"<{self.text}>"
        return quoted(self.text) if len(self.text) <= 10 else f"{quoted(self.text[:10])}..."


@dataclass(frozen=True)
class Operand:
    """One word of a command; `text` is how Go writes it in an error."""

    kind: str
    text: str
    at: int
    value: Any = None
    #: The fields that are taken of it.
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pipeline:
    """Commands, each of which is given what the one before returns."""

    at: int
    commands: list[list[Operand]]
    variables: list[str]
    declares: bool

    def __str__(self) -> str:
        said = " | ".join(" ".join(word.text for word in each) for each in self.commands)
        given = f"{', '.join(self.variables)} {':=' if self.declares else '='} "
        return (given if self.variables else "") + said


@dataclass(frozen=True)
class Node:
    """A text, an action, or a block with what is done if it does not apply."""

    kind: str
    text: str = ""
    pipeline: Pipeline | None = None
    body: list["Node"] = field(default_factory=list)
    otherwise: list["Node"] = field(default_factory=list)


class Parser:
    """Reads one template; `functions` are those that it may call."""

    def __init__(self, text: str, functions: Callable[[str], bool]) -> None:
        self._text = text
        self._functions = functions
        self._tokens = list(self._lexed())
        self._next = 0
        self._variables = ["$"]

    def parsed(self) -> list[Node]:
        """Return the template's nodes. Raises `BadTemplate`."""
        nodes, _ = self._body(("",))
        return nodes

    def line(self, at: int) -> int:
        """Return the line of a place in the text."""
        return self._text.count("\n", 0, at) + 1

    # ---- tokens --------------------------------------------------------------------

    def _lexed(self) -> Iterator[Token]:
        at = 0
        trims = False
        while at < len(self._text):
            opens = _OPEN.search(self._text, at)
            text = self._text[at : opens.start() if opens else len(self._text)]
            text = text.lstrip() if trims else text
            left = opens and (opens["trim"] or (opens["comment"] or "").startswith("- "))
            yield Token("text", text.rstrip() if left else text, at)
            if not opens:
                break
            at = opens.end()
            trims = bool(opens["comment"] and opens["comment"].endswith(" -}}"))
            if opens["comment"]:
                continue
            yield Token("open", "{{", opens.start())
            closed = None
            for token in self._action(at):
                yield token
                closed = token
            if closed is None or closed.kind != "close":
                return
            at, trims = closed.at + len(closed.text), closed.text.endswith("-}}")
        yield Token("end", "EOF", len(self._text))

    def _action(self, at: int) -> Iterator[Token]:
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            kind, text = (found.lastgroup or "", found[0]) if found else ("mark", self._text[at])
            at += len(text)
            if kind == "mark" and text in "\"`'":
                what = {'"': "quoted string", "`": "raw quoted string", "'": "character constant"}
                yield Token("error", f"unterminated {what[text]}", at)
                return
            if kind in ("field", "variable", "word") and not _ENDS_WORD.match(self._text, at):
                wrong = self._text[at]
                yield Token("error", f"bad character U+{ord(wrong):04X} {wrong!r}", at)
                return
            if kind == "word" and text in _KEYWORDS:
                kind = "keyword"
            yield Token(kind, text, at - len(text))
            if kind == "close":
                return
        yield Token("error", "unclosed action", at)

    def _peek(self, *, spaces: bool = False) -> Token:
        while not spaces and self._tokens[self._next].kind == "space":
            self._next += 1
        return self._tokens[self._next]

    def _take(self) -> Token:
        found = self._peek()
        if found.kind == "error":
            self._refuse(found.text, found.at)
        self._next += 1
        return found

    def _refuse(self, reason: str, at: int) -> NoReturn:
        raise BadTemplate(f"{self.line(at)}: {reason}")

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        if token.kind == "error":
            self._refuse(token.text, token.at)
        self._refuse(f"unexpected {token} in {context}", token.at)

    # ---- nodes ---------------------------------------------------------------------

    def _body(self, ends: tuple[str, ...]) -> tuple[list[Node], str]:
        """Return the nodes up to one of these words, and the word; `""` is the text's end."""
        nodes: list[Node] = []
        while True:
            token = self._take()
            if token.kind == "end":
                if "" not in ends:
                    self._refuse("unexpected EOF", token.at)
                return nodes, ""
            if token.kind == "text":
                nodes.append(Node("text", token.text))
                continue
            word = self._peek()
            if word.kind != "keyword":
                nodes.append(Node("action", pipeline=self._pipeline("command")))
                continue
            self._take()
            if word.text in _BLOCKS:
                nodes.append(self._block(word.text))
            elif word.text in ("end", "else"):
                if word.text not in ends:
                    reason = "expected end; found" if "end" in ends else "unexpected"
                    self._refuse(f"{reason} {{{{{word.text}}}}}", word.at)
                if word.text == "end" or self._peek().text != "if":
                    self._close(word.text)
                return nodes, word.text
            else:
                self._unexpected(word, "command")

    def _block(self, word: str) -> Node:
        known = len(self._variables)
        pipeline = self._pipeline(word)
        body, ended = self._body(("else", "end"))
        otherwise: list[Node] = []
        if ended == "else" and self._peek().text == word:
            self._take()
            otherwise = [self._block(word)]
        elif ended == "else":
            otherwise, _ = self._body(("end",))
        del self._variables[known:]
        return Node(word, pipeline=pipeline, body=body, otherwise=otherwise)

    def _close(self, context: str) -> None:
        token = self._take()
        if token.kind != "close":
            self._unexpected(token, context)

    def _pipeline(self, context: str, end: str = "close") -> Pipeline:
        begins = self._peek()
        variables, declares = self._declared(context)
        commands: list[list[Operand]] = []
        while True:
            token = self._peek()
            if token.kind == end or (end == ")" and token.text == end):
                self._take()
                break
            if token.kind in ("close", "error", "keyword") or (
                token.kind == "mark" and token.text != "("
            ):
                if token.kind == "close" and end == ")":
                    self._refuse("unclosed left paren", token.at)
                self._unexpected(token, context)
            commands.append(self._command())
        if not commands:
            self._refuse(f"missing value for {context}", begins.at)
        for stage, command in enumerate(commands[1:], 2):
            if command[0].kind in ("value", "dot"):
                reason = f"non executable command in pipeline stage {stage}"
                self._refuse(reason, command[0].at)
        return Pipeline(begins.at, commands, variables, declares)

    def _declared(self, context: str) -> tuple[list[str], bool]:
        """Take what a pipeline begins with if it is `$a :=`, `$a =` or `$a, $b :=`."""
        start, found = self._next, []
        while self._peek().kind == "variable":
            found.append(self._take().text)
            mark = self._peek()
            if mark.text in (":=", "="):
                self._take()
                if mark.text == ":=":
                    self._variables += found
                return found, mark.text == ":="
            if mark.text != "," or context != "range" or len(found) > 1:
                break
            self._take()
        self._next = start
        return [], False

    def _command(self) -> list[Operand]:
        words: list[Operand] = []
        while (word := self._operand()) is not None:
            words.append(word)
            token = self._peek(spaces=True)
            if token.kind == "space":
                continue
            if token.text == "|":
                self._next += 1
            elif token.kind != "close" and token.text != ")":
                self._unexpected(token, "operand")
            return words
        token = self._peek()
        if token.text == "|" and words:
            self._next += 1
        elif token.kind != "close" and token.text != ")":
            self._unexpected(token, "operand")
        if not words:
            self._refuse("empty command", token.at)
        return words

    def _operand(self) -> Operand | None:
        token = self._peek()
        if token.kind == "error":
            self._refuse(token.text, token.at)
        if not (found := self._term(token)):
            return None
        names: list[Token] = []
        while self._peek(spaces=True).kind == "field":
            names.append(self._take())
        if not names:
            return found
        if found.kind in ("value", "nil"):
            self._refuse(f"unexpected . after term {quoted(found.text)}", names[0].at)
        fields = tuple(each.text[1:] for each in names)
        # Go points behind the first name
        at = names[0].at if found.kind in ("field", "variable") else found.at
        text = ".".join([found.text, *fields])
        return Operand(found.kind, text, at, found.value, found.names + fields)

    def _term(self, token: Token) -> Operand | None:
        kind, text, at = token
        if kind == "word" and text not in _VALUES:
            if not self._functions(text):
                self._refuse(f"function {quoted(text)} not defined", at)
            self._next += 1
            return Operand("function", text, at)
        if kind == "mark" and text == "(":
            self._next += 1
            inner = self._pipeline("parenthesized pipeline", ")")
            return Operand("pipeline", f"({inner})", at, inner)
        if kind not in ("word", "string", "char", "number", "field", "dot", "variable"):
            return None
        self._next += 1
        if kind == "variable":
            if text not in self._variables:
                self._refuse(f"undefined variable {quoted(text)}", at)
            return Operand("variable", text, at, text)
        if kind == "field":
            return Operand("field", text, at, names=(text[1:],))
        if kind == "dot":
            return Operand("dot", text, at)
        if text == "nil":
            return Operand("nil", text, at)
        return Operand("value", text, at, self._literal(kind, text, at))

    def _literal(self, kind: str, text: str, at: int) -> Any:
        if kind == "word":
            return _VALUES[text]
        if text.startswith("`"):
            return text[1:-1]
        try:
            text = re.sub(r"^([+-]?)0(?=\d+$)", r"\g<1>0o", text)  # an octal number, as in C
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            self._refuse("bad syntax in " + text, at)
        return ord(found) if kind == "char" else found
