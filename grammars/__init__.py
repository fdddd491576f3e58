"""The grammar of the formula language, as data: `formula.lark` is the one truth about syntax."""
