"""Texts, regular expressions and what their matches are rewritten to."""

import random

FIXED = (
    (b"a\n", b"a$", b"x"),
    (b"ab1", b"[[:alpha:]]", b"x"),
    (b"aaa", b"a*?", b"x"),
    (b"a\x0bb", b"\\s", b"x"),
    (b"abc", b"\\pL", b"x"),
    (b"a.b", b"\\Q.\\E", b"x"),
    (b"a\n", b"a\\z", b"x"),
    (b"aab", b"\\x{61}", b"x"),
    (b"aaab", b"(?U)a+", b"x"),
    (b"aa", b"(?=a)", b"x"),
    (b"aa", b"(a)\\1", b"x"),
    (b"a", b"a\\Z", b"x"),
    (b"aaaa", b"a{2}+", b"x"),
    (b"a", b"(?#c)a", b"x"),
    (b"A\xc3\x84\xc3\xa4", b"(?i)\xc3\xa4", b"x"),
    (b"a\xffb", b".", b"x"),
    (b"a\xffb", b"[^a]", b"x"),
    (b"ab\ncd", b"(?m)^", b">"),
    (b"ab\ncd", b"(?m)$", b"<"),
    (b"ab\ncd", b"^", b">"),
    (b"ab\ncd", b"$", b"<"),
    (b"hello world", b"\\b", b"|"),
    (b"hello world", b"\\B", b"|"),
    (b"", b"\\B", b"|"),
    (b"", b"", b"x"),
    (b"abc", b"", b"-"),
    (b"a{,5}", b"a{,5}", b"x"),
    (b"a]b", b"[]]", b"x"),
    (b"a-b", b"[a-]", b"x"),
    (b"a-b^", b"[-^]", b"x"),
    (b"xay", b"[^[:^alpha:]]", b"1"),
    (b"aXb", b"(?i:x)", b"1"),
    (b"aXbx", b"(?i)x(?-i)", b"1"),
    (b"aaa", b"a**", b"x"),
    (b"ab", b"(?P<n>a)(b)", b"\\2\\1"),
    (b"ab", b"(?P<n>a)|(b)", b"[\\1|\\2]"),
    (b"a\tb", b"\\t", b"T"),
    (b"a1", b"\\61", b"x"),
    (b"a1", b"\\061", b"x"),
    (b"a", b"\\_", b"x"),
    (b"a-", b"\\-", b"x"),
    (b"ab", b"a|ab", b"x"),
    (b"ab", b"(a|ab)(c|bcd)?", b"<\\1>"),
    (b"aaa", b"a{2}", b"x"),
    (b"aaa", b"a{2,}", b"x"),
    (b"aaaa", b"a{1,3}?", b"x"),
    (b"a", b"a{1001}", b"x"),
    (b"a", b"(", b"x"),
    (b"a", b")", b"x"),
    (b"a", b"[a", b"x"),
    (b"a", b"[b-a]", b"x"),
    (b"a", b"*a", b"x"),
    (b"a", b"a\\", b"x"),
    (b"foo.bar", b".", b"x"),
    (b"a\nb", b"(?s).", b"x"),
    (b"a\nb", b".", b"x"),
    (b"\xe2\x82\xac5", b"\xe2\x82\xac", b"E"),
    (b"aab", b"(a*)*b", b"[\\1]"),
    (b"aab", b"(a|b)*", b"[\\1]"),
    (b"abab", b"(?:ab)+", b"x"),
    (b"xyz", b"x?y?z?", b"-"),
    (b"Z", b"\\p{Lu}", b"u"),
    (b"Zz", b"\\P{Lu}", b"u"),
    (b"Zz", b"\\p{^Lu}", b"u"),
    (b"^a", b"^*a", b"x"),
    (b"aaa", b"(|a)+", b"x"),
    (b"b", b"a*|b", b"x"),
    (b"abc", b"(?:(a)|b)*", b"<\\1>"),
    (b"ab", b"(a)?b", b"<\\1>"),
    (b"aXbX", b"X$", b"-"),
)
_PARTS = (
    *(
        "a",
        "b",
        "c",
        ".",
        "[ab]",
        "[^a]",
        "(a|b)",
        "(ab|a)",
        "(?:b|)",
        "\\w",
        "\\b",
        "^",
        "$",
    ),
    *("(a*)", "(b+?)", "(?:ab?)"),
)
_TIMES = ("", "", "", "*", "+", "?", "*?", "{0,2}", "{2}", "{2,}")


def _drawn(chance):
    parts = [chance.choice(_PARTS) + chance.choice(_TIMES) for _ in range(chance.randint(1, 4))]
    pattern = "".join(parts)
    if chance.random() < 0.3:
        pattern += "|" + chance.choice(_PARTS)
    text = "".join(chance.choice("aabbc \n") for _ in range(chance.randint(0, 9)))
    groups = pattern.count("(") - pattern.count("(?:")
    rewrite = "<" + "".join(f"\\{group}," for group in range(min(groups, 9) + 1)) + ">"
    return text.encode(), pattern.encode(), rewrite.encode()


def cases():
    """All of them, in an order that stays."""
    chance = random.Random(7)
    return [*FIXED, *(_drawn(chance) for _ in range(600))]
