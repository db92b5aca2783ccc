"""Functions of the C library's headers, translated to JavaScript: the subset of C that `csrc/pg_math*.h` is written in.

All numbers of JavaScript have 64 floating bits: doubles and ints are these, and integers of 64 bits are BigInts. What a
function returns by a pointer goes into an array of one element, and so does a variable whose address is taken.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ...emit.rendering.headers import pieces

#: What is not translated: C's own functions, and those that JavaScript has as well, many by the same name.
_ALIKE = [
    "abs",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "floor",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "pow",
]
_ALIKE += ["sin", "sinh", "sqrt", "tan", "tanh"]
NATIVE = {
    **{f"pg_{name}_f64": f"Math.{name}" for name in _ALIKE},
    **{f"pg_arc{name}_f64": f"Math.a{name}" for name in ("cos", "cosh", "sin", "sinh", "tan", "tan2", "tanh")},
    **{f"pg_{name}imum_f64": f"Math.{name}" for name in ("max", "min")},
    **{name: f"Math.{name}" for name in ("ceil", "exp", "floor", "log", "sqrt", "trunc")},
    **{name: f"native.{name}" for name in ("copysign", "fmod", "pg_bits_f64", "pg_from_bits_f64", "PG_FMA", "fma")},
    "fabs": "Math.abs",
}
#: Of those that give or take integers of 64 bits, what they give and what they take.
_SIGNATURES = {"pg_bits_f64": ("u", ["d"]), "pg_from_bits_f64": ("d", ["u"])}
_CONSTANTS = {"INFINITY": "Infinity", "NAN": "NaN", "DBL_MAX": "Number.MAX_VALUE"}

#: d: a double, f: a float, i: an int, u and l: 64 bits without and with a sign, v: nothing.
_TYPES = {
    "double": "d",
    "float": "f",
    "int": "i",
    "int32_t": "i",
    "uint32_t": "w",
    "unsigned": "w",
    "uint64_t": "u",
    "int64_t": "l",
    "size_t": "i",
    "void": "v",
}
_QUALIFIERS = {"const", "static", "PG_INLINE", "PG_NOINLINE", "inline"}
_TOKEN = re.compile(
    r"\s+|(?P<number>0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*(?:[pP][-+]?\d+)?[uUlLfF]*|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[uUlLfF]*)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\+\+|--|<<=|>>=|[-+*/|&^]=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>=?:;,(){}\[\]])"
)
_LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="), ("<<", ">>"), ("+", "-"))
_BINARY = {sign: level for level, signs in enumerate((*_LEVELS, ("*", "/", "%")), 1) for sign in signs}
_ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "<<=", ">>="}


class NoTranslation(Exception):
    """A piece of C is outside of the subset."""


def name_of(function: str) -> str | None:
    """What JavaScript calls the C function `pg_<function>_f64`; None where it can't be translated."""
    name = f"pg_{function}_f64"
    try:
        _closure(name)
    except NoTranslation:
        return None
    return NATIVE.get(name, name)


def definitions(text: str) -> str:
    """JavaScript for all functions that a text names, and for what these call.

    Example:
        >>> definitions("v[2]=pg_erfinv_f64(v[1]);").count("function pg_normal_quantile_f64(q,t)")
        1
    """
    needed: dict[str, None] = {}
    for name in dict.fromkeys(re.findall(r"\bpg_\w+_f64\b", text)):
        needed |= _closure(name)
    return "\n".join(_translated(name).text for name in needed if name not in NATIVE)


@functools.cache
def _closure(name: str) -> dict[str, None]:
    found: dict[str, None] = {}
    pending = [name]
    while pending:
        at = pending.pop()
        if at not in found:
            found[at] = None
            if at not in NATIVE:
                pending += _translated(at).uses
    return found


@dataclass
class _Definition:
    """A function, macro or table in JavaScript.

    Attributes:
        text: the definition.
        type: what it gives.
        parameters: the types of what it takes; "*" for a pointer.
        uses: what else it names.
    """

    text: str = ""
    type: str = "d"
    parameters: list[str] | None = None
    uses: list[str] = field(default_factory=list)


@functools.cache
def _translated(name: str) -> _Definition:
    if name in NATIVE:
        type_, parameters = _SIGNATURES.get(name, ("d", None))
        return _Definition(NATIVE[name], type_, parameters)
    found = pieces(name)
    if not found:
        raise NoTranslation(f"no header defines {name}")
    text = re.sub(r"/\*.*?\*/", " ", found[-1], flags=re.DOTALL)  # of several the one that needs no special machine
    text = re.sub(r"#if[^\n]*\n.*?#else\n(.*?)#endif", r"\1", text, flags=re.DOTALL)  # no FMA, no vector code
    macro = re.match(r"#define (\w+)(?:\(([^)]*)\))?((?:\\\n|.)*)", text)
    if macro is not None:
        names = [x.strip() for x in macro[2].split(",")] if macro[2] is not None else None
        return _Reader(macro[3].replace("\\\n", " ")).macro(name, names)
    return _Reader(text).declaration()


class _Reader:
    """Reads one definition, and writes it."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        text = text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise NoTranslation(f"what is {text[at : at + 20]!r}?")
            if match[0].strip():
                self.tokens.append(match[0])
            at = match.end()
        self.at = 0
        self.scope: dict[str, str] = {}
        self.boxed: set[str] = set()
        self.definition = _Definition()
        for before, sign, name in zip(self.tokens, self.tokens[1:], self.tokens[2:], strict=False):
            if sign == "&" and before in ("(", ",") and name.isidentifier():
                self.boxed.add(name)

    # --- tokens ----------------------------------------------------------------------------------------------------

    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        found = self.next()
        if not found or (wanted and found != wanted):
            raise NoTranslation(f"{found!r} where {wanted!r} is wanted")
        self.at += 1
        return found

    def accept(self, *signs: str) -> bool:
        if self.next() in signs:
            self.at += 1
            return True
        return False

    def type(self) -> str:
        """A type's name with its qualifiers; "" where there is none."""
        start, found = self.at, ""
        while self.next() in _QUALIFIERS or self.next() in _TYPES:
            found = _TYPES.get(self.take(), found)
        if not found:
            self.at = start
        return found

    # --- definitions -----------------------------------------------------------------------------------------------

    def macro(self, name: str, parameters: list[str] | None) -> _Definition:
        """A macro: a constant, or a function of doubles."""
        made = self.definition
        self.scope = dict.fromkeys(parameters or (), "d")
        text, made.type = self.expression()
        if self.next():
            raise NoTranslation(f"{name} is no expression")
        made.parameters = None if parameters is None else ["d"] * len(parameters)
        if parameters is None:
            made.text = f"const {name}={text};"
        else:
            made.text = f"function {name}({','.join(parameters)}){{return {text};}}"
        return made

    def declaration(self) -> _Definition:
        """A function, or a table."""
        made = self.definition
        made.type = self.type()
        name = self.take()
        if self.next() == "[":
            made.text = f"const {self._table(name)};"
            made.type = f"{made.type}*"
            return made
        self.take("(")
        names, made.parameters = [], []
        while not self.accept(")"):
            type_ = self.type()
            pointer = self.accept("*")
            self.accept("const")
            names.append(self.take())
            self.scope[names[-1]] = type_ + "*" * pointer
            made.parameters.append(type_ + "*" * pointer)
            self.accept(",")
        boxed = "".join(f"{x}=[{x}];" for x in names if x in self.boxed and not self.scope[x].endswith("*"))
        body = self.statement()
        made.text = f"function {name}({','.join(names)}){{{boxed}{body}}}"
        return made

    def _table(self, name: str) -> str:
        while self.accept("["):
            while not self.accept("]"):
                self.take()
        if not self.accept("="):
            return f"{name}=[]"
        return f"{name}={self._braces()}"

    def _braces(self) -> str:
        self.take("{")
        parts = []
        while not self.accept("}"):
            parts.append(self._braces() if self.next() == "{" else self.ternary()[0])
            self.accept(",")
        return f"[{','.join(parts)}]"

    # --- statements ------------------------------------------------------------------------------------------------

    def statement(self) -> str:
        if self.accept("{"):
            parts = []
            while not self.accept("}"):
                parts.append(self.statement())
            return f"{{{''.join(parts)}}}"
        if self.accept("if"):
            text = f"if{self._condition()}{self.statement()}"
            return f"{text}else {self.statement()}" if self.accept("else") else text
        if self.accept("while"):
            return f"while{self._condition()}{self.statement()}"
        if self.accept("do"):
            body = self.statement()
            self.take("while")
            condition = self._condition()
            self.take(";")
            return f"do {body}while{condition};"
        if self.accept("for"):
            self.take("(")
            first = ";" if self.accept(";") else self._simple()
            condition = "" if self.next() == ";" else self.expression()[0]
            self.take(";")
            step = "" if self.next() == ")" else self.expression()[0]
            self.take(")")
            return f"for({first}{condition};{step}){self.statement()}"
        if self.accept("return"):
            if self.accept(";"):
                return "return;"
            text = self._converted(self.expression(), self.definition.type)
            self.take(";")
            return f"return {text};"
        if self.next() in ("break", "continue"):
            word = self.take()
            self.take(";")
            return f"{word};"
        return self._simple()

    def _condition(self) -> str:
        self.take("(")
        text = self.expression()[0]
        self.take(")")
        return f"({text})"

    def _simple(self) -> str:
        """A declaration of variables or an expression, with its semicolon."""
        type_ = self.type()
        if not type_:
            text = self.expression()[0]
            self.take(";")
            return f"{text};"
        parts = []
        while True:
            pointer = self.accept("*")
            self.accept("const")
            name = self.take()
            self.scope[name] = type_ + "*" * (pointer or self.next() == "[")
            if self.next() == "[":
                parts.append(self._table(name))
            else:
                value = self._converted(self._assignment(), self.scope[name]) if self.accept("=") else "0"
                parts.append(f"{name}=[{value}]" if name in self.boxed else f"{name}={value}")
            if self.accept(";"):
                return f"let {','.join(parts)};"
            self.take(",")

    # --- expressions: JavaScript, and the type ---------------------------------------------------------------------

    def expression(self) -> tuple[str, str]:
        text, type_ = self._assignment()
        while self.accept(","):
            right, type_ = self._assignment()
            text = f"{text},{right}"
        return text, type_

    def _assignment(self) -> tuple[str, str]:
        left, type_ = self.ternary()
        if self.next() not in _ASSIGNMENTS:
            return left, type_
        sign = self.take()
        right = self._assignment()
        if sign != "=":
            right = self._binary(sign[:-1], (left, type_), right)
        return f"{left}={self._converted(right, type_)}", type_

    def ternary(self) -> tuple[str, str]:
        test, type_ = self._operators(1)
        if not self.accept("?"):
            return test, type_
        yes = self._assignment()
        self.take(":")
        no = self._assignment()
        both = self._common(yes[1], no[1])
        return f"({test}?{self._converted(yes, both)}:{self._converted(no, both)})", both

    def _operators(self, level: int) -> tuple[str, str]:
        left = self._unary()
        while _BINARY.get(self.next(), 0) >= level:
            sign = self.take()
            left = self._binary(sign, left, self._operators(_BINARY[sign] + 1))
        return left

    def _binary(self, sign: str, left: tuple[str, str], right: tuple[str, str]) -> tuple[str, str]:
        if sign in ("&&", "||"):
            return f"({left[0]}{sign}{right[0]})", "i"
        if sign in ("<<", ">>") and left[1] in "ul":
            return _wrapped(f"({left[0]}{sign}{self._converted(right, left[1])})", left[1]), left[1]
        both = self._common(left[1], right[1])
        text = f"({self._converted(left, both)}{sign}{self._converted(right, both)})"
        if sign in ("==", "!=", "<", "<=", ">", ">="):
            return text, "i"
        if both == "i" and sign == "/":
            return f"Math.trunc{text}", "i"
        return _wrapped(text, both), both

    def _common(self, a: str, b: str) -> str:
        return next((x for x in "dfulwi" if x in (a, b)), a)

    def _converted(self, value: tuple[str, str], to: str) -> str:
        text, type_ = value
        if type_ == to or to.endswith("*") or to == "v":
            return text
        if to in "ul":
            if type_ in "ul":
                return _wrapped(text, to)
            return f"{text}n" if text.isdigit() else _wrapped(f"BigInt(Math.trunc({text}))", to)
        number = f"Number({text})" if type_ in "ul" else text
        if to == "i" and type_ in "df":
            return f"Math.trunc({number})"
        return {"f": f"Math.fround({number})", "w": f"({number}>>>0)"}.get(to, number)

    def _unary(self) -> tuple[str, str]:
        sign = self.next()
        if sign == "(":
            self.take()
            type_ = self.type()
            if type_:
                self.take(")")
                return self._converted(self._unary(), type_), type_
            text, type_ = self.expression()
            self.take(")")
            return f"({text})", type_
        if sign == "&":
            self.take()
            name = self.take()
            return name, f"{self.scope[name]}*"
        if sign == "*":
            self.take()
            text, type_ = self._unary()
            return f"{text}[0]", type_[:-1]
        if sign in ("-", "+", "~", "!"):
            self.take()
            text, type_ = self._unary()
            if sign == "!":
                return f"(!{text})", "i"
            return (_wrapped(f"({sign}{text})", type_) if sign in "-~" else text), type_
        if sign in ("++", "--"):
            self.take()
            text, type_ = self._unary()
            return f"{sign}{text}", type_
        return self._postfix()

    def _postfix(self) -> tuple[str, str]:
        token = self.take()
        if token[0].isdigit() or (token[0] == "." and len(token) > 1):
            return _number(token)
        if token in ("UINT64_C", "INT64_C", "UINT32_C"):
            self.take("(")
            number = int(self.take().rstrip("uUlL"), 0)
            self.take(")")
            return (str(number), "w") if token == "UINT32_C" else (f"{number}n", "u" if token[0] == "U" else "l")
        if token in _CONSTANTS:
            return _CONSTANTS[token], "d"
        text, type_ = self._named(token)
        while True:
            if self.accept("["):
                text = f"{text}[{self.expression()[0]}]"
                self.take("]")
                type_ = type_[:-1]
            elif self.next() in ("++", "--"):
                text += self.take()
            else:
                return text, type_

    def _named(self, name: str) -> tuple[str, str]:
        if not name.isidentifier():
            raise NoTranslation(f"{name!r} where an expression is wanted")
        if name in self.scope:
            return (f"{name}[0]", self.scope[name]) if name in self.boxed else (name, self.scope[name])
        known = _translated(name)
        self.definition.uses.append(name)
        if self.next() != "(":
            return name, known.type
        self.take("(")
        arguments: list[str] = []
        while not self.accept(")"):
            value = self._assignment()
            at = len(arguments)
            wanted = known.parameters[at] if known.parameters is not None and at < len(known.parameters) else "d"
            arguments.append(self._converted(value, wanted))
            self.accept(",")
        return f"{NATIVE.get(name, name)}({','.join(arguments)})", known.type


def _wrapped(text: str, type_: str) -> str:
    """What has too many bits, brought to those of its type."""
    wrap: dict[str, Callable[[str], str]] = {
        "u": lambda x: f"BigInt.asUintN(64,{x})",
        "l": lambda x: f"BigInt.asIntN(64,{x})",
        "w": lambda x: f"({x}>>>0)",
        "f": lambda x: f"Math.fround({x})",
    }
    return wrap[type_](text) if type_ in wrap else text


def _number(token: str) -> tuple[str, str]:
    plain = token.lower()
    if plain.startswith("0x"):
        if "p" in plain or "." in plain:
            return repr(float.fromhex(plain.rstrip("fl") if "p" in plain else plain)), "d"
        return str(int(plain.rstrip("ul"), 16)), "w" if "u" in plain else "i"
    if "." in plain or "e" in plain:
        return repr(float(plain.rstrip("fl"))), "d"
    return plain.rstrip("ul"), "i"
