"""Code-like text: small functions whose variables are defined before they are used, with a docstring and calls.

A structure is the tree of statements with their operators; names and numbers are not part of it.
"""

VERBS = ("count", "sum", "find", "filter", "merge", "scale", "collect", "check", "update", "total", "measure", "select")
NOUNS = ("items", "values", "scores", "prices", "lengths", "weights", "rows", "points", "limits", "totals", "sizes")
LIMITS = ("limit", "bound", "threshold", "factor", "step", "offset", "margin")
RESULTS = ("result", "total", "count", "best", "output", "answer")
TEMPORARY = ("current", "delta", "part", "scaled", "rest", "amount")
COMPARISONS = (">", "<", ">=", "==", "!=")
OPERATORS = ("+", "-", "*")
STATEMENTS = ("assign", "if", "ifelse", "append", "accumulate", "continue", "print")


def draw_statement(stream, depth):
    kind = stream.choice(STATEMENTS if depth < 2 else ("assign", "accumulate", "append"))
    if kind in ("if", "ifelse"):
        bodies = tuple(draw_block(stream, depth + 1, 1) for _ in range(2 if kind == "ifelse" else 1))
        return (kind, stream.choice(COMPARISONS), stream.choice(("limit", "number")), bodies)
    if kind == "continue":
        return (kind, stream.choice(COMPARISONS), stream.choice(("limit", "number")))
    if kind in ("assign", "accumulate"):
        return (kind, stream.choice(OPERATORS), stream.choice(("limit", "number")))
    return (kind,)


def draw_block(stream, depth, most):
    return tuple(draw_statement(stream, depth) for _ in range(stream.randint(1, most)))


def draw_structure(stream):
    loop = stream.choice(("for", "for", "enumerate", "range", "while"))
    guard = stream.choice(("none", "none", "empty", "type"))
    calls = stream.choice((0, 1, 1, 2))
    return (loop, guard, stream.choice(("list", "number")), draw_block(stream, 0, 3), stream.choice("sdn"), calls)


class Function:
    """The names of one function, and its text."""

    def __init__(self, structure, stream):
        self.loop, self.guard, self.returns, self.body, self.doc, self.calls = structure
        self.stream = stream
        self.verb, self.noun, self.limit = (stream.choice(words) for words in (VERBS, NOUNS, LIMITS))
        self.name = f"{self.verb}_{self.noun}"
        self.item = self.noun[:-1]
        while self.limit == self.item:
            self.limit = stream.choice(LIMITS)
        self.result = stream.choice(RESULTS)
        self.temporary = stream.choice(TEMPORARY)
        self.lines = []

    def operand(self, kind):
        return self.limit if kind == "limit" else str(self.stream.choice((0, 1, 1, 2, 2, 3, 5, 10, 10, 100)))

    def emit(self, indent, text):
        self.lines.append("    " * indent + text)

    def write_block(self, block, indent):
        for statement in block:
            self.write_statement(statement, indent)

    def write_statement(self, statement, indent):
        kind, *rest = statement
        if kind in ("if", "ifelse"):
            comparison, operand, bodies = rest
            self.emit(indent, f"if {self.item} {comparison} {self.operand(operand)}:")
            self.write_block(bodies[0], indent + 1)
            if kind == "ifelse":
                self.emit(indent, "else:")
                self.write_block(bodies[1], indent + 1)
        elif kind == "continue":
            self.emit(indent, f"if {self.item} {rest[0]} {self.operand(rest[1])}:")
            self.emit(indent + 1, "continue")
        elif kind == "assign":
            self.emit(indent, f"{self.temporary} = {self.item} {rest[0]} {self.operand(rest[1])}")
        elif kind == "print":
            self.emit(indent, f'print("{self.item}", {self.item})')
        elif kind == "append" and self.returns == "list":
            self.emit(indent, f"{self.result}.append({self.item})")
        elif kind == "append":
            self.emit(indent, f"{self.result} += {self.item}")
        elif self.returns == "list":
            self.emit(indent, f"{self.result}.append({self.item} {rest[0]} {self.operand(rest[1])})")
        else:
            self.emit(indent, f"{self.result} += {self.item} {rest[0]} {self.operand(rest[1])}")

    def prompt(self):
        lines = [f"def {self.name}({self.noun}, {self.limit}):"]
        if self.doc == "s":
            lines.append(f'    """{self.verb.capitalize()} the {self.noun} with a {self.limit}."""')
        elif self.doc == "d":
            lines.append(f"    # {self.verb} {self.noun} by {self.limit}")
        return "\n".join(lines) + "\n"

    def reply(self):
        if self.guard == "empty":
            self.emit(1, f"if not {self.noun}:")
            self.emit(2, "return []" if self.returns == "list" else "return 0")
        elif self.guard == "type":
            self.emit(1, f"if {self.limit} is None:")
            self.emit(2, f"{self.limit} = {self.operand('number')}")
        self.emit(1, f"{self.result} = " + ("[]" if self.returns == "list" else "0"))
        heads = {
            "for": [f"for {self.item} in {self.noun}:"],
            "enumerate": [f"for index, {self.item} in enumerate({self.noun}):"],
            "range": [f"for index in range(len({self.noun})):", f"    {self.item} = {self.noun}[index]"],
            "while": [f"while {self.noun}:", f"    {self.item} = {self.noun}.pop()"],
        }
        for line in heads[self.loop]:
            self.emit(1, line)
        self.write_block(self.body, 2)
        self.emit(1, f"return {self.result}")
        for _ in range(self.calls):
            numbers = ", ".join(str(self.stream.randint(0, 20)) for _ in range(self.stream.randint(2, 4)))
            self.emit(0, f"print({self.name}([{numbers}], {self.stream.randint(1, 10)}))")
        return "\n".join(self.lines) + "\n"


def write(structure, stream):
    """The head of a function, and its body with calls."""
    function = Function(structure, stream)
    return function.prompt(), function.reply()
