"""Arithmetic of measure sheets, evaluated by our own parser: no eval, no exceptions, bounded in length, depth, size.

Understands what real sheets hold: decimal commas and points, grouped thousands, + - * / ^ and their typographic kin
(× · ÷ − :), parentheses, quoted comments ('"sklep" 2,5*3'), a remark after an apostrophe, a label before a colon, a
leading "=" and a stated result after one, units behind a number, percent signs, figures by name, sin/cos/tan of
degrees ("14*7,2/cos 14"), sqrt, abs and pi. What it does not understand is a `Problem`, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from functools import lru_cache

MAX_LENGTH = 2000  # characters; the longest line in the real files seen has 96
MAX_DEPTH = 50
MAX_EXPONENT = Decimal(64)
MAX_MAGNITUDE = Decimal("1e30")

_CONTEXT = Context(
    prec=34, rounding=ROUND_HALF_EVEN, Emax=999, Emin=-999, traps=[InvalidOperation, DivisionByZero, Overflow]
)
_NO_FIGURES: Mapping[str, Decimal] = {}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an expression has no value, said to a person."""

    reason: str


class _Unreadable(Exception):
    """Carries the reason out of the parser; never leaves this module."""


_QUOTED = re.compile(r'"[^"]*"|„[^“”"]*[“”"]|\{[^{}]*\}|\[[^\[\]]*\]')
_LABEL = re.compile(r"^\s*[^\d\s+\-*/(=][^:+*/()=]*:(?=\s)|^\s*\d[\w.]*[^\W\d][\w.]*:(?=\s)")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d[\d.,]*(?:[ \u00a0\u202f]\d{3}(?!\d)[\d.,]*)*|[.,]\d+)"
    r"|(?P<name>[^\W\d²³]\w*)"
    r"|(?P<sign>\*\*|[-+*/^()×·÷:−–%²³]))"
)
_TIMES = re.compile(r"\s*[xX](?=\s*[\d(.,])")  # "2x3", "2 x (3+4)"
_SIGNS = {"×": "*", "·": "*", "÷": "/", ":": "/", "−": "-", "–": "-", "**": "^"}
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "^": 4, "sin": 5, "cos": 5, "tan": 5, "sqrt": 5, "abs": 5}
_FUNCTIONS = {"sin": "sin", "cos": "cos", "tan": "tan", "tg": "tan", "sqrt": "sqrt", "odm": "sqrt", "abs": "abs"}
_UNITS_BEHIND = frozenset({"m", "bm", "m2", "m3", "m²", "m³", "ks", "kus", "kusy", "kg", "t", "stk", "st", "h", "hod"})
_PI = Decimal("3.141592653589793238462643383279502884")


def evaluate(text: str, figures: Mapping[str, Decimal] = _NO_FIGURES) -> Decimal | Problem | None:
    """The value of one line; None where it holds nothing to evaluate (blank, or a comment only)."""
    if len(text) > MAX_LENGTH:
        return Problem(f"the expression has {len(text)} characters; at most {MAX_LENGTH} are evaluated")
    body = strip_comments(text)
    if not body:
        return None
    return _evaluate_alone(body) if not figures else _evaluate(body, figures)


def strip_comments(text: str) -> str:
    """What is left to calculate: without quoted comments, label, remark, leading "=" and stated result."""
    body = text
    if '"' in body or "„" in body or "{" in body or "[" in body:
        body = _QUOTED.sub(" ", body)
    if "'" in body:
        body = body.split("'", 1)[0]
    if ":" in body:
        body = _LABEL.sub("", body)
    body = body.strip()
    if "=" in body:
        body = body.lstrip("= ").split("=", 1)[0].strip()
    return body


@lru_cache(maxsize=65536)
def _evaluate_alone(body: str) -> Decimal | Problem:
    return _evaluate(body, _NO_FIGURES)


def _evaluate(body: str, figures: Mapping[str, Decimal]) -> Decimal | Problem:
    try:
        return _Machine(figures).run(body)
    except _Unreadable as error:
        return Problem(str(error))
    except DivisionByZero:
        return Problem("division by zero")
    except DecimalException:
        return Problem("the result is not a number that can be written down")


class _Machine:
    """Shunting-yard on two stacks: no recursion, so that no input is too deep for the interpreter."""

    def __init__(self, figures: Mapping[str, Decimal]) -> None:
        self.figures = figures
        self.values: list[Decimal] = []
        self.operators: list[str] = []
        self.depth = 0
        self.after_value = False  # whether the last token ended an operand

    def run(self, body: str) -> Decimal:
        at = 0
        length = len(body)
        match_token = _TOKEN.match
        while at < length:
            match = match_token(body, at)
            if match is None:
                if body[at:].isspace():
                    break
                raise _Unreadable(f'can\'t read "{body[at : at + 12].strip()}"')
            kind = match.lastgroup
            token = match.group(kind or 0)
            if kind == "number":
                self._number(token)
            elif kind == "name":
                times = _TIMES.match(body, at) if self.after_value else None
                if times is not None:
                    self._sign("*")
                    at = times.end()
                    continue
                self._name(token)
            else:
                self._sign(_SIGNS.get(token, token))
            at = match.end()
        return self._finish()

    def _finish(self) -> Decimal:
        if not self.after_value:
            raise _Unreadable("the expression ends in the middle")
        while self.operators:
            if self.operators[-1] == "(":
                raise _Unreadable("a parenthesis is not closed")
            self._apply()
        return self.values[0]

    def _number(self, token: str) -> None:
        if self.after_value:
            raise _Unreadable(f'no operator before "{token}"')
        self._push(parse_number(token))

    def _push(self, value: Decimal) -> None:
        self.values.append(value)
        self.after_value = True

    def _name(self, token: str) -> None:
        figure = self.figures.get(token)
        lowered = token.lower()
        if figure is not None:
            self._multiply_if_implied()
            self._push(figure)
        elif lowered in _FUNCTIONS:
            self._multiply_if_implied()
            self.operators.append(_FUNCTIONS[lowered])
        elif lowered in ("pi", "π"):
            self._multiply_if_implied()
            self._push(_PI)
        elif self.after_value and lowered in _UNITS_BEHIND:
            return
        else:
            raise _Unreadable(f'"{token}" is neither a number nor a figure that the file defines')

    def _multiply_if_implied(self) -> None:
        if self.after_value:
            self._sign("*")

    def _sign(self, sign: str) -> None:
        if sign == "(":
            self._open()
        elif sign == ")":
            self._close()
        elif sign in ("%", "²", "³"):
            self._postfix(sign)
        elif self.after_value:
            self._binary(sign)
        elif sign == "-":
            self.operators.append("neg")
        elif sign != "+":
            raise _Unreadable(f'"{sign}" has nothing before it')

    def _open(self) -> None:
        self._multiply_if_implied()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Unreadable(f"parentheses are nested more than {MAX_DEPTH} deep")
        self.operators.append("(")

    def _close(self) -> None:
        if not self.after_value:
            raise _Unreadable("a parenthesis is closed too early")
        while self.operators and self.operators[-1] != "(":
            self._apply()
        if not self.operators:
            raise _Unreadable("a parenthesis is closed that was not opened")
        self.operators.pop()
        self.depth -= 1

    def _postfix(self, sign: str) -> None:
        if not self.after_value:
            raise _Unreadable(f'"{sign}" has nothing before it')
        value = self.values.pop()
        if sign == "%":
            self.values.append(_CONTEXT.divide(value, Decimal(100)))
        else:
            self.values.append(_power(value, Decimal(2 if sign == "²" else 3)))

    def _binary(self, sign: str) -> None:
        precedence = _PRECEDENCE[sign]
        operators = self.operators
        while operators and operators[-1] != "(":
            top = _PRECEDENCE[operators[-1]]
            if top < precedence or (top == precedence and sign == "^"):
                break
            self._apply()
        operators.append(sign)
        self.after_value = False

    def _apply(self) -> None:
        operator = self.operators.pop()
        values = self.values
        if operator in _UNARY:
            values[-1] = _UNARY[operator](values[-1])
            return
        right = values.pop()
        result = _BINARY[operator](values[-1], right)
        if abs(result) > MAX_MAGNITUDE:
            raise _Unreadable("a result is greater than 10^30")
        values[-1] = result


@lru_cache(maxsize=16384)
def parse_number(token: str) -> Decimal:
    """ "1 234,50", "1.234,50", "1,234.50", "12,5", "12.5": the last mark is the decimal mark, unless it groups."""
    text = token.replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
    commas, points = text.count(","), text.count(".")
    if commas and points:
        decimal = "," if text.rfind(",") > text.rfind(".") else "."
        grouping = "." if decimal == "," else ","
        _check_groups(text.split(decimal)[0], grouping, token)
        text = text.replace(grouping, "").replace(decimal, ".")
    elif commas > 1 or points > 1:
        mark = "," if commas else "."
        _check_groups(text, mark, token)
        text = text.replace(mark, "")
    else:
        text = text.replace(",", ".")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _Unreadable(f'"{token}" is not a number') from None


def _check_groups(text: str, mark: str, token: str) -> None:
    first, *rest = text.split(mark)
    if not first or len(first) > 3 or any(len(group) != 3 for group in rest):
        raise _Unreadable(f'"{token}" is not a number')


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if abs(exponent) > MAX_EXPONENT:
        raise _Unreadable(f"an exponent is greater than {MAX_EXPONENT}")
    if base == 0 and exponent < 0:
        raise _Unreadable("division by zero")
    return _CONTEXT.power(base, exponent)


def _root(value: Decimal) -> Decimal:
    if value < 0:
        raise _Unreadable("the square root of a negative number")
    return _CONTEXT.sqrt(value)


@lru_cache(maxsize=1024)
def _sine(degrees: Decimal) -> Decimal:
    """Taylor series on the angle reduced to ±90 degrees; exact to 30 digits."""
    angle = _CONTEXT.remainder_near(degrees, Decimal(360))
    if angle > 90:
        angle = 180 - angle
    elif angle < -90:
        angle = -180 - angle
    x = _CONTEXT.divide(_CONTEXT.multiply(angle, _PI), Decimal(180))
    square = _CONTEXT.multiply(x, x)
    term = total = x
    n = 1
    while abs(term) > Decimal("1e-32"):
        term = _CONTEXT.divide(_CONTEXT.multiply(-term, square), Decimal((n + 1) * (n + 2)))
        total = _CONTEXT.add(total, term)
        n += 2
    return _CONTEXT.quantize(total, Decimal("1e-30"))


def _cosine(degrees: Decimal) -> Decimal:
    return _sine(_CONTEXT.subtract(Decimal(90), degrees))


def _tangent(degrees: Decimal) -> Decimal:
    return _CONTEXT.divide(_sine(degrees), _cosine(degrees))


_UNARY: dict[str, Callable[[Decimal], Decimal]] = {
    "neg": _CONTEXT.minus,
    "sin": _sine,
    "cos": _cosine,
    "tan": _tangent,
    "sqrt": _root,
    "abs": _CONTEXT.abs,
}
_BINARY: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _CONTEXT.add,
    "-": _CONTEXT.subtract,
    "*": _CONTEXT.multiply,
    "/": _CONTEXT.divide,
    "^": _power,
}
