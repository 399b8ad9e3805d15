"""Find, in the output of a source's build, why it failed.

The output ends with the cause, with a paragraph about it, or with no more than that
some command failed: then a tool has written why before.
"""

import re
import textwrap

LIMIT = 240
# How many lines an explanation has at most; what is longer is a log, of which the end says most.
PAGE = 30
NOTHING = "its build says nothing"

COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Exceptions in groups have a frame before them.
FRAME = re.compile(r"^[ +]*(?:[|│] ?|\+[-+]+.*$)")
# Where this build happened to be, up to the source itself or to a module.
PLACE = re.compile(r"(?:/tmp/[^\s'\":]+?/work|/[^\s'\":]*?/sdists-v\d+/[^\s'\":]+?/src|/build/source|/[^\s'\":]*?/site-packages|/build/bin|/tmp/[^\s'\":]+?/bin)(?:/|(?=['\s:]|$))")

CAUGHT = re.compile(r"""b['"].*\\n.*\\n""")
WARNING = re.compile(r"\S*:\d+: \w*Warning: |(?:\w+: )?warning\b|performance hint: |\w*Warning: ", re.I)
PROGRESS = re.compile(
    r"(?:running|creating|copying|writing|reading|adding|building|byte-compiling|removing|moving|generating|installing|hard linking"
    r"|compiling|cythonizing|skipping|checking|looking|found|trying|processing|warning:|\[\d+/\d+\]|--|\+|make(?:\[\d+\])?: (?:Entering|Leaving)) "
    r"|\S*(?:cc|gcc|g\+\+|c\+\+|clang|ar)(?:-\d+)? .*-|'?\S+'? -> ", re.I)

TOOL = re.compile(
    r"(?!configure: error: in )(?:\S+?[:(]\d+(?:[:,]\d+)*\)?: (?:fatal )?(?:error|ERROR): .*"  # a compiler, or meson
    r"|CMake Error.*"
    r"|(?:\S*ld(?:\.lld)?|lld|clang\S*|collect2|configure|cmake|swig|nvcc)(?:\.exe)?: (?:fatal )?error: .*"
    r"|\S*ld: cannot find .*|.*\bundefined (?:symbol|reference)\b.*"
    r"|\S+\.(?:pyx|pxd|pxi):\d+:\d+: .*)")
# What stands between the words about one file and those about the next.
NEXT = re.compile(r"\d+ (?:errors?|warnings?).* generated|FAILED: |building '|\[\d+/\d+\]|\S*(?:cc|gcc|g\+\+|c\+\+|clang\S*) .*-", re.I)
ERROR = re.compile(r"(?:[\w-]+: )?(?:fatal )?error\b(?!s? generated)|fatal: ", re.I)
EXCEPTION = re.compile(r"((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*)(?::(?: (.*))?)?$")
LACK = re.compile(r"\b(?:not found|missing|no such|cannot|can't|could not|unable to|not supported|required?|must|failed|only)\b", re.I)
# Words that only say that a command before them failed.
EMPTY = re.compile(
    r"returned non-zero exit status|failed with exit (?:code|status)|exited with|exit status \d+\W*$|CompileError: (?:command|\S+\.pyx$)"
    r"|build stopped|errors? occurred|An error occurred while \w+ing with CMake|subprocess-exited-with-error|metadata-generation-failed"
    r"|\]: \*\*\*|^(?:\w+: )?\w+ (?:error|failed)\W*$|Setup script exited|see the log|Failed building|Failed to build", re.I)
# Errors of code for Python 2, which a newcomer cannot know from the words alone.
PYTHON_2 = re.compile(
    r"use_2to3 is invalid|Missing parentheses in call to|multiple exception types must be parenthesized|leading zeros in decimal"
    r"|No module named '(?:ConfigParser|Queue|StringIO|cStringIO|cPickle|urllib2|urlparse|httplib|HTMLParser|commands|exceptions|__builtin__)'"
    r"|name '(?:unicode|xrange|raw_input|basestring|execfile|unichr|long|file|reduce)' is not defined", re.I)
# Errors about what CPython 3.11 no longer has in its headers.
OLD_C = re.compile(
    r"'(?:longintrepr|pystrhex)\.h' file not found|incomplete (?:definition of )?type '(?:PyFrameObject|struct _frame)"
    r"|no member named '(?:use_tracing|tp_print|recursion_depth|exc_type|exc_value|exc_traceback|f_code|co_varnames|co_code)'")
# An exception that says little, and a shell's words for what may be behind it.
UNCLEAR = {"SyntaxError", "IndentationError", "TabError", "KeyError", "IndexError", "StopIteration"}
NO_PROGRAM = re.compile(r"(?:\S*sh|make): (?:\d+: )?(\S+): (?:not found|No such file or directory)")
PLAIN = {"Exception", "RuntimeError", "SystemExit", "Error"}


def cause(log):
    """Return why a build failed, in one line, from all of its output."""
    lines = without_warnings(lines_of(log))
    found = sorted([*exceptions(lines), *errors(lines), *tool_errors(lines), *afterwards(lines)])
    telling = [text for _, text in found if not EMPTY.search(text)]
    missing = [f"its build calls {m[1]}, which is not there" for line in lines if (m := NO_PROGRAM.match(line))]
    if missing and (not telling or re.match(r"\S+, line \d+: (?!Syn|Ind|Tab)", telling[-1])):
        return missing[-1]
    return explained(telling[-1] if telling else last_words(lines) or (found[-1][1] if found else "")) or NOTHING


def tool_error(log):
    """Return the error of a compiler, a linker or the like, whether it stopped the build or not, or nothing."""
    found = tool_errors(lines_of(log))
    return explained(found[-1][1]) if found else ""


def explained(said):
    """Return words in a line, with what a newcomer cannot know."""
    python = "Python 2" if PYTHON_2.search(said) else "an older Python" if OLD_C.search(said) else ""
    return shortened(said) + (f" (it is written for {python})" if python else "")


def lines_of(log):
    """Return the lines of a log. What a program has caught of another it may print as Python writes it."""
    parts = (line.split("\\n") if CAUGHT.search(line) else [line] for line in log.splitlines())
    return [clean(line) for part in parts for line in part]


def clean(line):
    return PLACE.sub("", FRAME.sub("", COLOURS.sub("", line.rsplit("\r", 1)[-1]))).rstrip()


def without_warnings(lines):
    """Leave out what a build goes on after."""
    kept, boxed, under = [], False, False
    for line in lines:
        if line.strip() == "!!":  # setuptools puts a warning between two of these
            boxed, under = not boxed, boxed
        elif boxed:
            continue
        elif WARNING.match(line):
            under = True
        elif under and line.startswith("  "):
            under = False  # the line of code that warns
        else:
            kept, under = [*kept, line], False
    return kept


def paragraph(lines, at):
    """Return the words from a line on, to where something else begins."""
    words = []
    for line in lines[at:]:
        if not line.strip() or words and (PROGRESS.match(line) or EMPTY.search(line) or line.startswith("Traceback ")):
            break
        line = line.strip()
        apart = words and line[0].isupper() and re.search(r"[^\w\s.,:;!?-]$", words[-1])  # no sentence goes on like this
        words.append("; " + line if apart else " " + line)
    return "".join(words).strip()


def exceptions(lines):
    """Find what each traceback ends with, and where."""
    found = []
    for start, line in enumerate(lines):
        if not line.startswith("Traceback (most recent call last)"):
            continue
        at = next((i for i in range(start + 1, len(lines)) if lines[i] and not lines[i].startswith(" ")), None)
        if at is not None and (parts := EXCEPTION.match(lines[at])):
            found.append((at, exception(lines, at, parts[2], lines[start:at])))
    return found


def exception(lines, at, kind, frames):
    """Say what an exception says, or where it was when that is not clear by itself."""
    first = re.sub(r"^[\w.]+:?\s*", "", lines[at], count=1)
    rest = next((i for i in range(at + 1, len(lines)) if lines[i].strip()), len(lines))
    if not first and rest < len(lines) and not lines[rest].startswith(("Traceback", "During handling", "The above")):
        first = paragraph(lines, rest)
    elif first:
        first = re.sub(r"^[\w.]+:?\s*", "", paragraph(lines, at), count=1)
    if kind in PLAIN and first:
        return first
    text = f"{kind}: {first}" if first else kind
    places = [(i, m) for i, f in enumerate(frames) if (m := re.match(r'\s*File "([^"]+)", line (\d+)', f))]
    if not places:
        return text
    i, place = places[-1]
    file = "setup.py" if place[1] == "<string>" else place[1]
    if kind == "ModuleNotFoundError" and file == "setup.py" and not PYTHON_2.search(first):
        return f"{text} (its build imports it and does not ask for it)"
    if first and kind not in UNCLEAR:
        return text
    code = frames[i + 1].strip() if not first and i + 1 < len(frames) else ""
    return f"{file}, line {place[2]}: " + (code if code.startswith("raise ") else f"{text}: {code}" if code else text)


def afterwards(lines):
    """Find what a program adds to the exception that it ends with."""
    last = max((i for i, line in enumerate(lines) if EXCEPTION.match(line) and not line.startswith(" ")), default=len(lines))
    ends = next((i for i in range(last, len(lines)) if not lines[i].strip()), len(lines))
    return [(i, paragraph(lines, i)) for i in range(ends, len(lines)) if LACK.search(lines[i]) and lines[i - 1] == ""]


def errors(lines):
    """Find the lines that are an error by their first word, with what goes on below."""
    return [(i, paragraph(lines, i)) for i, line in enumerate(lines) if ERROR.match(line) and not TOOL.match(line)]


def tool_errors(lines):
    """Find the first error of the last file that a tool refused."""
    at = [i for i, line in enumerate(lines) if TOOL.match(line)]
    if not at:
        return []
    first = at[-1]
    for i in reversed(at[:-1]):
        if any(NEXT.match(line) for line in lines[i + 1:first]):
            break
        first = i
    text = lines[first].strip()
    if text.startswith("CMake Error"):  # its words are below
        below = first + 1 + (lines[first + 1:first + 2] == [""])
        text += " " + paragraph(lines, below) if lines[below:below + 1] and lines[below].startswith(" ") else ""
    return [(at[-1], text)]


def last_words(lines):
    """Return the paragraph that a build ends with, from the sentence on that says what is not there."""
    begin = max((i + 1 for i, line in enumerate(lines) if PROGRESS.match(line)), default=0)
    block = lines[begin:]
    if begin and not any(line.strip() for line in block):  # nothing but progress
        return f'its build ends after "{lines[begin - 1].strip()}", and does not say why'
    block = block[:next((i for i, line in enumerate(block) if line.startswith("Traceback ")), len(block))]
    start = next((i for i, line in enumerate(block) if LACK.search(line) and not EMPTY.search(line)), None)
    if start is None:
        whole = [i for i, line in enumerate(block) if line.strip() and not EMPTY.search(line)]
        if not whole:
            return ""
        start = whole[0] if len(block) <= PAGE else whole[-1]
    while start and block[start - 1].strip() and not re.search(r"[.:;!?]$", block[start - 1]) and not ERROR.match(block[start]):
        start -= 1
    return paragraph(block, start)


def shortened(text):
    """Return the text in one line of some length, cut after a sentence or else a word."""
    text = " ".join(text.split())
    if len(text) > LIMIT:
        end = max(text.rfind(". ", 0, LIMIT), text.rfind("; ", 0, LIMIT))
        text = text[:end] if end > LIMIT // 4 else textwrap.shorten(text, LIMIT, placeholder="...")
    return text if text.endswith("...") else text.rstrip(".:;, ")


def told_by_uv(text):
    """Return what uv said, with the cause in place of what the build of a source said."""
    begin = re.search(r"\n\n +\[std(?:out|err)\]\n", text)
    if not begin:
        return text
    after = re.search(r"\n(?=\S)", text[begin.end():])
    end = begin.end() + after.start() if after else len(text)
    log = re.sub(r"(?m)^ +\[std(?:out|err)\]$", "", text[begin.start():end])
    return f"{text[:begin.start()]}\n  cause: {cause(textwrap.dedent(log))}\n{text[end:]}"
