"""Numbers as receipts, tickets and labels have them."""

import random

CURRENCIES = ("$", "€", "")


def draw(rng: random.Random) -> str:
    """A price, a date, a time, a quantity, a share or a number."""
    return rng.choice((_price, _price, _price, _date, _time, _quantity, _number))(rng)


def _price(rng: random.Random) -> str:
    currency, point = rng.choice(CURRENCIES), rng.choice(".,")
    value = f"{int(10 ** rng.uniform(0, 4))}{point}{rng.choice(('00', '50', '95', '99', f'{rng.randrange(100):02d}'))}"
    return value + currency if point == "," else currency + value


def _date(rng: random.Random) -> str:
    year, month, day = rng.randint(1990, 2035), rng.randint(1, 12), rng.randint(1, 28)
    form = rng.choice(("{d:02d}.{m:02d}.{y}", "{m:02d}/{d:02d}/{y}", "{d:02d}-{m:02d}-{s:02d}", "{y}-{m:02d}-{d:02d}"))
    return form.format(y=year, s=year % 100, m=month, d=day)


def _time(rng: random.Random) -> str:
    return f"{rng.randrange(24):02d}:{rng.randrange(60):02d}"


def _quantity(rng: random.Random) -> str:
    return f"{rng.randint(1, 500)}{rng.choice(('x', '%', 'g', 'kg', 'ml', 'cm', 'pcs'))}"


def _number(rng: random.Random) -> str:
    return str(rng.randint(1000, 10 ** rng.randint(4, 9)))
