"""Arithmetic with its working: expressions and small stories, worked out column by column, with carries.

A structure is how a text is built: its kind, its operations with the width of each operand, its wording. Numbers and
names are not part of it.
"""

OPENINGS = ("Compute", "Work out", "Find", "What is", "Evaluate", "Calculate")
CLOSINGS = ("Answer:", "Result:", "So the answer is", "Total:", "Therefore:")
STEPS = ("Step {n}:", "({n})", "{n}.", "Part {n}:")
COLUMNS = ("ones", "tens", "hundreds", "thousands", "ten thousands", "hundred thousands")
NAMES = ("Mara", "Tom", "Ines", "Otto", "Lena", "Paul", "Nora", "Emil", "Ada", "Karl", "Rosa", "Hugo")
THINGS = ("apples", "coins", "stamps", "books", "marbles", "cards", "shells", "pencils", "eggs", "bricks")
BOXES = ("boxes", "bags", "packs", "trays", "crates")
EVENTS = {
    "buy": ("{name} buys {a} more.", "+"),
    "find": ("Then {name} finds {a} {things}.", "+"),
    "get": ("A friend brings {a} {things}.", "+"),
    "lose": ("{name} loses {a} of them.", "-"),
    "give": ("{name} gives {a} {things} away.", "-"),
    "sell": ("{a} are sold.", "-"),
    "times": ("Every one of them becomes {a}.", "*"),
    "boxes": ("There are {a} such {boxes}.", "*"),
}


def draw_structure(stream):
    kind = stream.choice(("expression", "expression", "story"))
    layout = (stream.choice(STEPS), stream.choice(CLOSINGS), stream.choice(("columns", "columns", "plain")))
    if kind == "expression":
        operations = tuple(
            (operation, 1 if operation == "*" else stream.choice((1, 2, 2, 3)))
            for operation in stream.choices("++--*", k=stream.randint(1, 3))
        )
        return (kind, stream.choice(OPENINGS), stream.choice((2, 2, 3)), operations, *layout)
    events = tuple(
        (event, 1 if EVENTS[event][1] == "*" else stream.choice((1, 2, 2)))
        for event in stream.choices(sorted(EVENTS), k=stream.randint(1, 3))
    )
    return (kind, stream.choice(("How many", "Count the")), 2, events, *layout)


def number(stream, width):
    return stream.randint(2, 9) if width == 1 else stream.randint(10 ** (width - 1), 10**width - 1)


def digits(value):
    return [int(digit) for digit in reversed(str(value))]


def add_columns(a, b):
    lines, carry = [], 0
    of_a, of_b = digits(a), digits(b)
    for column in range(max(len(of_a), len(of_b))):
        terms = [each[column] for each in (of_a, of_b) if column < len(each)] + ([carry] if carry else [])
        total = sum(terms)
        line = f"{COLUMNS[column]}: {' + '.join(map(str, terms))} = {total}, write {total % 10}"
        carry = total // 10
        lines.append(line + (f", carry {carry}" if carry else ""))
    return lines


def subtract_columns(a, b):
    lines, borrow = [], 0
    of_a, of_b = digits(a), digits(b)
    for column in range(len(of_a)):
        below = (of_b[column] if column < len(of_b) else 0) + borrow
        above = of_a[column]
        borrow = int(above < below)
        if borrow:
            lines.append(f"{COLUMNS[column]}: borrow, {above + 10} - {below} = {above + 10 - below}")
        else:
            lines.append(f"{COLUMNS[column]}: {above} - {below} = {above - below}")
    return lines


def multiply_columns(a, b):
    lines, carry = [], 0
    for column, digit in enumerate(digits(a)):
        total = digit * b + carry
        plus = f" + {carry}" if carry else ""
        carry = total // 10
        line = f"{COLUMNS[column]}: {digit} * {b}{plus} = {total}, write {total % 10}"
        lines.append(line + (f", carry {carry}" if carry else ""))
    return lines


def work(operation, a, b):
    """The result and the lines that lead to it."""
    if operation == "+":
        return a + b, add_columns(a, b)
    if operation == "-":
        return a - b, subtract_columns(a, b)
    return a * b, multiply_columns(a, b)


def fill_operand(stream, operation, width, value):
    """One that the working can do: no negative differences, no products past five digits."""
    if operation == "-" and value < 10**width:
        return stream.randint(0, value)
    return number(stream, width)


def write(structure, stream):
    """A question and its working."""
    kind, opening, width, operations, step, closing, manner = structure
    start = value = number(stream, width)
    operands, steps = [], []
    for operation, operand_width in operations:
        sign = operation if kind == "expression" else EVENTS[operation][1]
        operand = fill_operand(stream, sign, operand_width, value)
        operands.append(operand)
        result, lines = work(sign, value, operand)
        steps.append((f"{value} {sign} {operand}", result, lines))
        value = result
    reply = []
    for index, (expression, result, lines) in enumerate(steps, 1):
        mark = step.format(n=index)
        if manner == "columns":
            reply += [f"{mark} {expression}", *lines, f"{expression} = {result}"]
        else:
            reply.append(f"{mark} {expression} = {result}")
    reply.append(f"{closing} {value}")
    return question(kind, opening, start, operations, operands, stream), "\n".join(reply) + "\n"


def question(kind, opening, start, operations, operands, stream):
    if kind == "expression":
        text = str(start)
        for index, ((operation, _), operand) in enumerate(zip(operations, operands, strict=True)):
            text = f"{text} {operation} {operand}"
            if index + 1 < len(operations):
                text = f"({text})"
        return f"{opening} {text}.\n"
    name, things, boxes = stream.choice(NAMES), stream.choice(THINGS), stream.choice(BOXES)
    sentences = [f"{name} has {start} {things}."]
    for (event, _), operand in zip(operations, operands, strict=True):
        sentences.append(EVENTS[event][0].format(name=name, a=operand, things=things, boxes=boxes))
    ending = f"How many {things} are there?" if opening == "How many" else f"Count the {things}."
    return " ".join([*sentences, ending]) + "\n"
