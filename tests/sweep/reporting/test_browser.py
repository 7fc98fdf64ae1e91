"""The page in Chromium: by mouse and keyboard, on a desk and on a phone, without a word to any network."""

from collections.abc import Callable, Iterator
from pathlib import Path

import browser
import pytest
from browser import Browser

from sweep.reporting import write
from sweep.results.folder import RunFolder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="no chromium is installed, which shows the page"),
]
DRAWN = "document.querySelectorAll('[data-plot=front] .points path').length > 5"
CHOSEN = "document.getElementById('chosen').value"
TRACES = "document.querySelector('[data-plot=front]').data"
ROWS = "[...document.querySelectorAll('#table tbody tr')]"
BAND = "front, with 95 % band"


@pytest.fixture(scope="module")
def pages(make_run: Callable[[str], RunFolder], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The page of a run, and that of two."""
    first, second = make_run("first"), make_run("second")
    write.whole(first)
    both = tmp_path_factory.mktemp("pages") / "both.html"
    write.several([first, second], both)
    return first.path / "report.html", both


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def tab(chromium: Browser, pages: tuple[Path, Path]) -> Iterator[Browser]:
    """A tab with the page of a run, which has complained of nothing when the test is over."""
    chromium.open(pages[0])
    chromium.wait(DRAWN)
    yield chromium
    assert chromium.errors == []
    assert chromium.requests == []


def middle(tab: Browser, selector: str) -> tuple[float, float]:
    """Where on the screen an element's middle is."""
    element = f"document.querySelector(`{selector}`)"
    tab.run(f"{element}.scrollIntoView({{block: 'center'}})")
    box = f"{element}.getBoundingClientRect()"
    x, y = tab.run(f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({box})")
    return x, y


def click(tab: Browser, selector: str) -> None:
    x, y = middle(tab, selector)
    for kind in ("mousePressed", "mouseReleased"):
        tab.mouse(kind, x, y, button="left", clickCount=1)


def test_a_point_under_the_mouse_shows_its_pictures(tab: Browser) -> None:
    place = tab.run(f"{TRACES}.findIndex(trace => trace.name === '{BAND}' && trace.text)")
    first = tab.run(f"{TRACES}[{place}].customdata[0]")
    assert tab.run(CHOSEN) != first
    drawn = "[...document.querySelectorAll('[data-plot=front] .scatterlayer .trace')]"
    number = 1 + tab.run(f"{drawn}.findIndex(each => each.__data__[0].trace.index === {place})")
    x, y = middle(tab, f"[data-plot=front] .scatterlayer .trace:nth-child({number}) .points path")
    tab.mouse("mouseMoved", x - 30, y)
    tab.mouse("mouseMoved", x, y)
    tab.wait(f"{CHOSEN} === '{first}'")
    assert tab.run("document.querySelectorAll('#pictures img').length") == 15
    facts = tab.run("document.getElementById('facts').textContent")
    assert all(word in facts for word in ("on the front", "λ", "β", "bpp (95 %", "accuracy"))


def test_a_curve_is_hidden_and_shown_in_the_legend_by_mouse_and_by_key(tab: Browser) -> None:
    hidden = f"{TRACES}.filter(trace => trace.visible === 'legendonly').length"
    before = tab.run(hidden)
    tab.run("document.querySelector('[data-singles=front]').parentElement.open = true")
    click(tab, "[data-singles=front] label")
    tab.wait(f"{hidden} === {before - 1}")
    labels = "[...document.querySelectorAll('[data-legend=front] label')]"
    tab.run(f"{labels}.find(label => label.lastChild.textContent === '{BAND}').control.focus()")
    tab.call("Input.dispatchKeyEvent", type="keyDown", key=" ", code="Space", text=" ", windowsVirtualKeyCode=32)
    tab.call("Input.dispatchKeyEvent", type="keyUp", key=" ", code="Space", windowsVirtualKeyCode=32)
    # The band goes with the line.
    tab.wait(f"{hidden} === {before + 1}")


def test_the_table_is_sorted_both_ways_and_downloaded(tab: Browser) -> None:
    assert tab.run("document.querySelectorAll('#table thead th')[6].textContent") == "bpp"
    for order in ("ascending", "descending"):
        click(tab, "#table thead th:nth-child(7) button")
        tab.wait(f"document.querySelector('#table [aria-sort]')?.ariaSort === '{order}'")
        rates = tab.run(f"{ROWS}.map(row => row.cells[6].textContent).filter(Boolean).map(Number)")
        assert len(rates) > 10
        assert rates == sorted(rates, reverse=order == "descending")
    lines = tab.run("csv()").splitlines()
    assert lines[0].startswith("point_id,kind,on_front")
    assert len(lines) == 1 + tab.run(f"{ROWS}.length")


def test_the_weights_take_the_color_of_what_a_button_says(tab: Browser) -> None:
    color = "document.querySelector('[data-plot=plane]').layout.coloraxis.colorbar.title.text"
    assert tab.run(color) == "accuracy"
    click(tab, "#measures button:nth-of-type(2)")
    tab.wait(f"{color} === 'bits per pixel'")
    click(tab, "#over button:nth-of-type(2)")
    tab.wait("document.querySelector('[data-plot=hypervolume]').data[0].x[0] === 1")


def test_a_key_reaches_all_that_a_mouse_does(tab: Browser) -> None:
    tab.run("document.getElementById('chosen').focus()")
    before = tab.run(CHOSEN)
    tab.press("ArrowDown", 40)
    tab.wait(f"{CHOSEN} !== '{before}'")
    lost = (
        "[...document.querySelectorAll('a, input, select, button, summary')].filter(each => each.tabIndex < 0).length"
    )
    assert tab.run(lost) == 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_hangs_over_the_edge_of_a_screen(
    chromium: Browser, pages: tuple[Path, Path], width: int, scheme: str
) -> None:
    for page in pages:
        chromium.open(page, width=width, scheme=scheme)
        chromium.wait(DRAWN)
        assert chromium.run("document.documentElement.scrollWidth") <= width
        dark = chromium.run("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 26)"
        assert dark == (scheme == "dark")
    assert (chromium.errors, chromium.requests) == ([], [])


def test_two_runs_have_both_fronts_and_one_table(chromium: Browser, pages: tuple[Path, Path]) -> None:
    chromium.open(pages[1])
    chromium.wait(DRAWN)
    names = chromium.run(f"{TRACES}.filter(trace => trace.visible === true).map(trace => trace.name)")
    assert {f"first: {BAND}", f"second: {BAND}"} <= set(names)
    assert chromium.run(f"[...new Set({ROWS}.map(row => row.cells[0].textContent))]") == ["first", "second"]
    chromium.run("document.getElementById('chosen').value = ''")
    click(chromium, "#table tbody tr:last-child button")
    chromium.wait(f"{CHOSEN}.startsWith('1:')")
    assert chromium.errors == []
