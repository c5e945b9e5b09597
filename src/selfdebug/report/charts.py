"""Charts as inline SVG, coloured by the page's own style sheet.

python -c "from selfdebug.report import charts; print(charts.steps([0.2, 0.6]))"
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from selfdebug.report.text import escape, percent, seconds
from selfdebug.stats import Interval

WIDTH, HEIGHT = 440, 220
LEFT, RIGHT, TOP, BOTTOM = 40, 22, 12, 30
NAMED = 120  # the margin on the right where names stand at the ends of lines
COLOURS = 6  # of lines, in the style sheet


def bar(share: Interval) -> str:
    """Return a small bar for a table cell: the share, and its interval as a whisker."""
    if math.isnan(share.value):
        return ""
    value, low, high = (f"{100 * x:.1f}" for x in (share.value, share.low, share.high))
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="fill" width="{value}" height="10"/>'
        f'<path class="whisker" d="M{low} 5H{high}M{low} 2.5V7.5M{high} 2.5V7.5"/></svg>'
    )


def cumulative(series: Mapping[str, Sequence[float]]) -> str:
    """Return the share of each series that is at most x, on a logarithmic axis of seconds.

    An infinite value never is. "" when there is nothing to draw.
    """
    reached = {name: sorted(v for v in values if v < math.inf) for name, values in series.items()}
    finite = [value for values in reached.values() for value in values]
    if len(finite) < 2:
        return ""
    marks = _marks(min(finite), max(finite))
    span = math.log(marks[-1] / marks[0])

    def x(value: float) -> float:
        return LEFT + math.log(max(value, marks[0]) / marks[0]) / span * (WIDTH - LEFT - RIGHT)

    ticks = [
        f'<text class="tick" x="{x(mark):.1f}" y="{HEIGHT - 10}">'
        f"{seconds(mark).replace('.0 s', ' s')}</text>"
        for mark in marks
    ]
    lines: list[str] = []
    ends = [_y(len(values) / len(series[name])) for name, values in reached.items()]
    # Above its line; below the other's where that is nearer, or where nothing is above.
    free = _apart([end + (15 if end < TOP + 14 else -6) for end in ends], 21)
    for number, ((name, values), height) in enumerate(zip(reached.items(), free, strict=True)):
        path = f"M{LEFT} {_y(0):.1f}"
        for count, value in enumerate(values, start=1):
            path += f"H{x(value):.1f}V{_y(count / len(series[name])):.1f}"
        lines.append(f'<path class="line s{number}" d="{path}H{WIDTH - RIGHT}"/>')
        if len(series) > 1:
            place = f'x="{WIDTH - RIGHT}" y="{height:.1f}"'
            lines.append(f'<text class="name s{number}" {place}>{escape(name)}</text>')
    return _frame("".join(ticks + lines))


def _marks(low: float, high: float) -> list[float]:
    """Return round numbers (1, 2, 5 times powers of ten, or powers alone) around low and high."""
    powers = range(-4, 6)
    for digits in ((1, 2, 5), (1,)):
        marks = [digit * 10.0**power for power in powers for digit in digits]
        first = max((i for i, mark in enumerate(marks) if mark <= low), default=0)
        last = min((i for i, mark in enumerate(marks) if mark >= high), default=len(marks) - 1)
        if last - first < 7:
            break
    return marks[first : max(last, first + 1) + 1]


def steps(shares: Sequence[float]) -> str:
    """Return a column for each share, numbered from 0."""
    step = (WIDTH - LEFT - RIGHT) / len(shares)
    columns = [
        f'<rect class="fill" x="{LEFT + (i + 0.2) * step:.1f}" y="{_y(share):.1f}" '
        f'width="{0.6 * step:.1f}" height="{_y(0) - _y(share):.1f}"/>'
        f'<text class="value" x="{LEFT + (i + 0.5) * step:.1f}" y="{_y(share) - 5:.1f}">'
        f"{percent(share)}</text>"
        f'<text class="tick" x="{LEFT + (i + 0.5) * step:.1f}" y="{HEIGHT - 10}">{i}</text>'
        for i, share in enumerate(shares)
    ]
    return _frame("".join(columns))


def curves(series: Mapping[str, Sequence[float]]) -> str:
    """Return a line for each series of shares, at 0, 1, 2 ...; its name stands at its end."""
    last = max(1, max(map(len, series.values())) - 1)
    step = (WIDTH - LEFT - NAMED) / last
    drawn = [
        f'<text class="tick" x="{LEFT + i * step:.1f}" y="{HEIGHT - 10}">{i}</text>'
        for i in range(last + 1)
    ]
    free = _apart([_y(values[-1]) for values in series.values()], 13)
    for number, ((name, values), height) in enumerate(zip(series.items(), free, strict=True)):
        points = " ".join(f"{LEFT + i * step:.1f} {_y(v):.1f}" for i, v in enumerate(values))
        colour = number % COLOURS
        drawn.append(f'<path class="line s{colour}" d="M{points}"/>')
        place = f'x="{LEFT + (len(values) - 1) * step + 8:.1f}" y="{height + 4:.1f}"'
        drawn.append(f'<text class="label s{colour}" {place}>{escape(name)}</text>')
    return _frame("".join(drawn), WIDTH - NAMED)


def lines(points: Mapping[str, Sequence[tuple[float, float]]], *, shares: bool = False) -> str:
    """Return a line of (step, value) for each name, which stands at its end.

    The axis holds 0 and every value, or from 0 to 1 where they are shares. "" when there are no
    two points.
    """
    every = [point for found in points.values() for point in found]
    if len(every) < 2:
        return ""
    widest = max(x for x, _ in every) or 1.0
    marks = [n / 4 for n in range(5)] if shares else _round([y for _, y in every])
    right = WIDTH - NAMED

    def x(step: float) -> float:
        return LEFT + step / widest * (right - LEFT)

    def y(value: float) -> float:
        return _y((value - marks[0]) / (marks[-1] - marks[0]))

    drawn = [
        f'<text class="share" x="{LEFT - 6}" y="{y(mark) + 4:.1f}">'
        f"{percent(mark) if shares else f'{mark:g}'}</text>"
        f'<path class="grid{" zero" if not mark else ""}" d="M{LEFT} {y(mark):.1f}H{right}"/>'
        for mark in marks
    ]
    drawn += [
        f'<text class="tick" x="{x(step):.1f}" y="{HEIGHT - 10}">{step:.0f}</text>'
        for step in (0, widest / 2, widest)
    ]
    free = _apart([y(found[-1][1]) for found in points.values()], 13)
    for number, ((name, found), height) in enumerate(zip(points.items(), free, strict=True)):
        path = "L".join(f"{x(step):.1f} {y(value):.1f}" for step, value in found)
        drawn.append(f'<path class="line s{number % COLOURS}" d="M{path}"/>')
        at = f'x="{right + 8}" y="{height + 4:.1f}"'
        drawn.append(f'<text class="label s{number % COLOURS}" {at}>{escape(name)}</text>')
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(drawn)}</svg>'


def _round(values: Sequence[float]) -> list[float]:
    """Return three to six round numbers, evenly apart, that hold 0 and every value between them."""
    low, high = min(0.0, *values), max(0.0, *values)
    rough = (high - low or 1.0) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough)
    return [n * step for n in range(math.floor(low / step), max(1, math.ceil(high / step)) + 1)]


def _apart(heights: Sequence[float], distance: float) -> list[float]:
    """Return the heights moved so far that no two are nearer than `distance`, in their order."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    found = list(heights)
    for before, after in pairwise(order):
        found[after] = max(found[after], found[before] + distance)
    over = max(0.0, max(found, default=0.0) - (HEIGHT - BOTTOM))
    return [height - over for height in found]


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _frame(inside: str, right: int = WIDTH - RIGHT) -> str:
    """Return a drawing with its axis of shares. right: where the lines of its grid end."""
    grid = "".join(
        f'<path class="grid" d="M{LEFT} {_y(share):.1f}H{right}"/>'
        f'<text class="share" x="{LEFT - 6}" y="{_y(share) + 4:.1f}">{percent(share)}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{grid}{inside}</svg>'
