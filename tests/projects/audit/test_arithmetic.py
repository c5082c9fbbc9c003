"""Measure-sheet arithmetic: what real sheets write, what is refused, and agreement with exact fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.audit.arithmetic import MAX_DEPTH, MAX_LENGTH, Problem, evaluate

D = Decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,2*56,8", "68.16"),
        ("(14+1)*(7,2+1)", "123"),
        ("(14.0+7,2)*2*0.5", "21.2"),
        ('"ornice" 100,8*0,2', "20.16"),
        ('"výkopek 1/3 množství"  68,160*0,33', "22.4928"),
        ("103,886 * 1,05 ' Přepočtené koeficientem množství", "109.0803"),
        ("60,48 - 22,72 ", "37.76"),
        ("0,25*0,25 *(6*2,2+6*3,745+2*2,9725)", "2.6009375"),
        ("2(3+4)", "14"),
        ("(1+2)(3+4)", "21"),
        ("2*-3", "-6"),
        ("-2^2", "-4"),
        ("2^3^2", "512"),
        ("2^-1", "0.5"),
        ("2**3", "8"),
        ("3²", "9"),
        ("1 234,50 + 1", "1235.5"),
        ("1.234,50", "1234.5"),
        ("1,234.50", "1234.5"),
        ("1.234.567", "1234567"),
        ("10%*50", "5"),
        ("2,5 m * 3 m", "7.5"),
        ("2x3", "6"),
        ("2 × 3 ÷ 4", "1.5"),
        ("12:4", "3"),
        ("1.NP: 2*3", "6"),
        ("sklep: 2*3", "6"),
        ("=2*3", "6"),
        ("2*3=6,00 m2", "6"),
        ("sqrt(16)+abs(-1)", "5"),
        ("cos 60", "0.5"),
        ("sin(30)*tg 45", "0.5"),
        (",5+.5", "1"),
        ("+5", "5"),
    ],
)
def test_reads_what_real_sheets_write(text: str, value: str) -> None:
    result = evaluate(text)
    assert isinstance(result, Decimal), result
    assert abs(result - D(value)) < D("1e-20")


def test_cosine_of_a_roof_slope_is_in_degrees() -> None:
    result = evaluate("14*7,2/cos 14")
    assert isinstance(result, Decimal)
    assert round(result, 3) == D("103.886")


@pytest.mark.parametrize("text", ["", "   ", '"jen poznámka"', "' remark", "sklep: "])
def test_nothing_to_evaluate_is_no_problem(text: str) -> None:
    assert evaluate(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1/0", "division by zero"),
        ("0^-1", "division by zero"),
        ("1/(2-2)", "division by zero"),
        ("(1+2", "not closed"),
        ("1+2)", "not opened"),
        ("()", "closed too early"),
        ("1+", "ends in the middle"),
        ("*3", "nothing before"),
        ("2 3", "no operator"),
        ("délka*výška", "neither a number nor a figure"),
        ("2*#REF!", "can't read"),
        ("1,23,45", "not a number"),
        ("2^999", "exponent"),
        ("9^60*9^60", "greater than"),
        ("(-2)^0,5", "not a number"),
        ("sqrt(-1)", "square root"),
        ("12,5 cm", "neither a number nor a figure"),
        ("__import__('os')", "neither a number nor a figure"),
    ],
)
def test_what_is_not_understood_is_a_problem_with_its_reason(text: str, reason: str) -> None:
    result = evaluate(text)
    assert isinstance(result, Problem), result
    assert reason in result.reason


def test_depth_and_length_are_bounded() -> None:
    deepest = "(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH
    assert evaluate(deepest) == 1
    assert isinstance(evaluate(f"({deepest})"), Problem)
    assert isinstance(evaluate("1+" * MAX_LENGTH + "1"), Problem)


def test_figures_are_read_by_name() -> None:
    figures = {"F0005": D("100.8"), "plocha_1": D(3)}
    assert evaluate("F0005*0,5", figures) == D("50.4")
    assert evaluate("2plocha_1", figures) == 6
    missing = evaluate("F0006*2", figures)
    assert isinstance(missing, Problem)
    assert "F0006" in missing.reason


def test_a_figure_may_be_called_like_a_unit() -> None:
    assert evaluate("2*m", {"m": D(7)}) == 14


# Expressions are built together with their exact value, worked out by Fraction: nothing of our parser is shared.

_numbers = st.decimals(min_value=0, max_value=9999, places=3).map(lambda d: (format(d, "f"), Fraction(d)))


def _written(pair: tuple[str, Fraction], comma: bool) -> tuple[str, Fraction]:
    text, value = pair
    return (text.replace(".", ",") if comma else text), value


_leaves = st.builds(_written, _numbers, st.booleans())


def _binary(children: st.SearchStrategy[tuple[str, Fraction]]) -> st.SearchStrategy[tuple[str, Fraction]]:
    def combine(left: tuple[str, Fraction], sign: str, right: tuple[str, Fraction], gap: str) -> tuple[str, Fraction]:
        text = f"({left[0]}{gap}{sign}{gap}{right[0]})"
        if sign == "+":
            return text, left[1] + right[1]
        if sign == "-":
            return text, left[1] - right[1]
        if sign == "*":
            return text, left[1] * right[1]
        return (text, left[1] / right[1]) if right[1] else (f"({left[0]}+0)", left[1])

    def negate(inner: tuple[str, Fraction]) -> tuple[str, Fraction]:
        return f"(-{inner[0]})", -inner[1]

    pairs = st.builds(combine, children, st.sampled_from("+-*/"), children, st.sampled_from(["", " "]))
    return st.one_of(pairs, st.builds(negate, children))


@given(st.recursive(_leaves, _binary, max_leaves=12))
def test_agrees_with_exact_fractions(expression: tuple[str, Fraction]) -> None:
    text, exact = expression
    result = evaluate(text)
    if isinstance(result, Problem):
        assert abs(exact) > 10**29 or "greater" in result.reason
        return
    assert result is not None
    scale = max(1, abs(exact))
    assert abs(Fraction(result) - exact) / scale < Fraction(1, 10**15)


@given(
    st.lists(_numbers, min_size=1, max_size=8),
    st.lists(st.sampled_from("+-*"), min_size=8, max_size=8),
)
def test_precedence_agrees_with_exact_fractions(numbers: list[tuple[str, Fraction]], signs: list[str]) -> None:
    """Without parentheses: a sum of products, added up by hand here."""
    text = numbers[0][0]
    total, product, sign = Fraction(0), numbers[0][1], 1
    for (written, value), operator in zip(numbers[1:], signs, strict=False):
        text += f"{operator}{written}"
        if operator == "*":
            product *= value
            continue
        total += sign * product
        product, sign = value, 1 if operator == "+" else -1
    total += sign * product
    result = evaluate(text)
    if isinstance(result, Problem):
        assert "greater" in result.reason
        return
    assert result is not None
    assert abs(Fraction(result) - total) <= max(1, abs(total)) * Fraction(1, 10**20)


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    result = evaluate(text)
    assert result is None or isinstance(result, Decimal | Problem)


@given(st.text(alphabet="0123456789,.+-*/^()'\"= cosm%²", max_size=40))
def test_no_arithmetic_looking_text_raises(text: str) -> None:
    result = evaluate(text, {"c": D(2)})
    assert result is None or isinstance(result, Decimal | Problem)
    if isinstance(result, Decimal):
        assert result.is_finite()
