import JSON

/// One text and what becomes of it: the categories of JSONTestSuite, the cases our own.
struct GrammarCase: Sendable, CustomStringConvertible {
    var name: String
    var bytes: [UInt8]
    /// The reason it is refused; nil if it is taken.
    var kind: JSONError.Kind?
    /// What is written for it when it is taken.
    var canonical: String

    /// Every part of it that is cut off is no JSON.
    var isEnclosed: Bool { bytes.first.map { Array("[{\"".utf8).contains($0) } ?? false && bytes.last != 0x20 }

    var description: String { name }

    private static func take(_ name: String, _ text: String, as canonical: String? = nil) -> GrammarCase {
        GrammarCase(name: name, bytes: Array(text.utf8), kind: nil, canonical: canonical ?? text)
    }

    private static func refuse(_ name: String, _ text: String, _ kind: JSONError.Kind = .invalidJSON) -> GrammarCase {
        GrammarCase(name: name, bytes: Array(text.utf8), kind: kind, canonical: "")
    }

    private static func refuse(_ name: String, _ bytes: [UInt8], _ kind: JSONError.Kind) -> GrammarCase {
        GrammarCase(name: name, bytes: bytes, kind: kind, canonical: "")
    }

    static let accepted: [GrammarCase] = [
        // Structure.
        take("empty array", "[]"), take("empty object", "{}"), take("array of empties", "[[],{},\"\"]"),
        take("nested", #"{"a":{"b":[{"c":[[]]}]}}"#), take("null in array", "[null]"), take("false alone", "false"),
        take("true alone", "true"), take("null alone", "null"), take("string alone", "\"x\""),
        take("number alone", "42"),
        take("many of many kinds", #"[null,1,"1",{},[],true,false,-1.5]"#),
        take("empty key", #"{"":0}"#), take("keys are put in order", #"{"b":1,"a":2}"#, as: #"{"a":2,"b":1}"#),
        take("key with escapes", #"{"\u0061\n":1}"#, as: #"{"a\n":1}"#),
        // Space.
        take("space around all", " \t\r\n[ 1 ,\n2 ]\t", as: "[1,2]"),
        take("space in empties", "[ { } , [ ] ]", as: "[{},[]]"),
        take("space around members", "{ \"a\" : 1 , \"b\" : 2 }", as: #"{"a":1,"b":2}"#),
        // Numbers.
        take("zero", "0"), take("minus zero", "-0", as: "0"), take("minus zero fraction", "-0.0", as: "0"),
        take("minus one", "-1"), take("fraction", "0.5"), take("trailing zeros", "1.500", as: "1.5"),
        take("exponent", "1e3", as: "1000"), take("capital exponent with sign", "1E+2", as: "100"),
        take("negative exponent", "15e-1", as: "1.5"), take("exponent with leading zeros", "1e007", as: "10000000"),
        take("zero with exponent", "0e+99", as: "0"), take("fraction and exponent", "-12.5e1", as: "-125"),
        take("largest integer", "9007199254740991"), take("smallest integer", "-9007199254740991"),
        take("integer written as fraction", "3.0", as: "3"), take("smallest positive", "5e-324"),
        // Strings.
        take("all short escapes", #""\"\\\/\b\f\n\r\t""#, as: #""\"\\/\b\f\n\r\t""#),
        take("escaped control", #""\u0001\u001F""#, as: #""\u0001\u001f""#), take("delete", "\"\u{7F}\""),
        take("escaped ASCII", #""\u0041\u007A""#, as: #""Az""#),
        take("escaped Latin", #""\u00e9\u00E9""#, as: #""éé""#),
        take("two, three and four bytes", "\"é€😀\""), take("surrogate pair", #""\uD83D\ude00""#, as: "\"😀\""),
        take("last scalar", #""\uDBFF\uDFFF""#, as: "\"\u{10FFFF}\""),
        take("around the surrogates", "\"\u{D7FF}\u{E000}\""),
        take("escaped backslash before u", #""\\u0061""#), take("escaped solidus", #""\/""#, as: "\"/\""),
        take("line separators", "\"\u{2028}\u{2029}\""), take("brackets in a string", #""[{,:}]""#),
        take("reverse solidus at the end", #""a\\""#), take("no normalisation", "\"e\u{301}\""),
    ]

    static let rejected: [GrammarCase] = [
        // Nothing, and too much.
        refuse("nothing", ""), refuse("only space", " \n"), refuse("two values", "1 2"),
        refuse("value after array", "[]1"),
        refuse("comma at the end", "1,"), refuse("bracket at the end", "[]]"), refuse("brace at the end", "{}}"),
        refuse("NUL at the end", "1\0"), refuse("comment", "[1/*2*/]"), refuse("line comment", "[1]//"),
        refuse("hash comment", "#\n1"), refuse("semicolon", "[1;2]"),
        // Arrays.
        refuse("open array", "[1"), refuse("array with comma first", "[,1]"), refuse("comma last", "[1,]"),
        refuse("two commas", "[1,,2]"), refuse("only a comma", "[,]"), refuse("no comma", "[1 2]"),
        refuse("colon in array", "[1:2]"), refuse("closed by brace", "[1}"), refuse("only a bracket", "["),
        refuse("only a closing bracket", "]"),
        // Objects.
        refuse("open object", #"{"a":1"#), refuse("only a key", #"{"a"}"#), refuse("no value", #"{"a":}"#),
        refuse("no colon", #"{"a" 1}"#), refuse("two colons", #"{"a"::1}"#), refuse("comma for colon", #"{"a",1}"#),
        refuse("comma last in object", #"{"a":1,}"#), refuse("comma first in object", #"{,"a":1}"#),
        refuse("two commas in object", #"{"a":1,,"b":2}"#), refuse("no comma in object", #"{"a":1 "b":2}"#),
        refuse("number as key", "{1:1}"), refuse("word as key", "{a:1}"), refuse("null as key", "{null:1}"),
        refuse("single quotes", "{'a':1}"), refuse("object closed by bracket", #"{"a":1]"#),
        refuse("only a brace", "{"),
        // Words.
        refuse("half a word", "tru"), refuse("a longer word", "truer"), refuse("capital word", "True"),
        refuse("capital null", "NULL"), refuse("undefined", "undefined"), refuse("two words", "[nullnull]"),
        // Numbers.
        refuse("leading zero", "01"), refuse("leading zero, negative", "-01"), refuse("two zeros", "00"),
        refuse("only a minus", "-"), refuse("two minuses", "--1"), refuse("plus", "+1"), refuse("point first", ".5"),
        refuse("minus and point", "-.5"), refuse("point last", "1."), refuse("point before exponent", "1.e1"),
        refuse("exponent empty", "1e"), refuse("exponent only a sign", "1e+"), refuse("two exponents", "1e1e1"),
        refuse("fraction in exponent", "1e1.5"), refuse("two points", "1.2.3"), refuse("hexadecimal", "0x1F"),
        refuse("binary", "0b1"), refuse("grouped", "1_000"), refuse("space after minus", "- 1"), refuse("NaN", "NaN"),
        refuse("infinity", "Infinity"), refuse("minus infinity", "-Infinity"), refuse("letter after digits", "1a"),
        refuse("fullwidth digit", "\u{FF11}"), refuse("Arabic digit", "\u{0661}"), refuse("exponent alone", "e1"),
        // Strings.
        refuse("open string", "\"abc"), refuse("only a quote", "\""), refuse("open escape", #""\"#),
        refuse("escaped closing quote", #""abc\""#), refuse("unknown escape", #""\x41""#),
        refuse("escaped a", #""\a""#),
        refuse("octal escape", #""\101""#), refuse("escaped apostrophe", #""\'""#), refuse("short u", #""\u00""#),
        refuse("u without digits", #""\u""#), refuse("u with other letters", #""\u00zz""#),
        refuse("capital U", #""\U0041""#),
        refuse("u with a sign", #""\u+041""#), refuse("escaped é", "\"\\é\""), refuse("braced u", #""\u{41}""#),
        refuse("tab", "\"\t\""), refuse("line break", "\"a\nb\""), refuse("NUL in a string", "\"\0\""),
        refuse("unit separator", "\"\u{1F}\""), refuse("control after an escape", "\"\\n\u{2}\""),
        refuse("apostrophes", "'a'"), refuse("no quotes", "abc"), refuse("text after string", "\"a\"b"),
        // Space that is none.
        refuse("form feed", "[\u{C}1]"), refuse("vertical tab", "[\u{B}1]"), refuse("no-break space", "[\u{A0}1]"),
        refuse("word joiner", "[\u{2060}1]"), refuse("line separator outside", "[\u{2028}]"),
        // Bytes.
        refuse("lone continuation", [0x22, 0x80, 0x22], .invalidUTF8),
        refuse("0xFF", [0x22, 0xFF, 0x22], .invalidUTF8),
        refuse("overlong slash", [0x22, 0xC0, 0xAF, 0x22], .invalidUTF8),
        refuse("overlong in three", [0x22, 0xE0, 0x80, 0xAF, 0x22], .invalidUTF8),
        refuse("surrogate in UTF-8", [0x22, 0xED, 0xA0, 0x80, 0x22], .invalidUTF8),
        refuse("beyond U+10FFFF", [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], .invalidUTF8),
        refuse("cut in two", [0x22, 0xC3, 0x22], .invalidUTF8),
        refuse("cut in four", [0x22, 0xF0, 0x9F, 0x98, 0x22], .invalidUTF8),
        refuse("invalid after an escape", [0x22, 0x5C, 0x6E, 0xC3, 0x22], .invalidUTF8),
        refuse("cut by an escape", [0x22, 0xC3, 0x5C, 0x6E, 0x22], .invalidUTF8),
        refuse("invalid key", [0x7B, 0x22, 0xFE, 0x22, 0x3A, 0x31, 0x7D], .invalidUTF8),
        refuse("invalid outside", [0x5B, 0xFF, 0x5D], .invalidJSON),
        refuse("UTF-16", [0x5B, 0x00, 0x5D, 0x00], .invalidJSON),
    ]

    static let open: [GrammarCase] = [
        refuse("byte order mark", "\u{FEFF}[]"),
        refuse("UTF-16 with its mark", [0xFF, 0xFE, 0x5B, 0, 0x5D, 0], .invalidJSON),
        refuse("lone high surrogate", #""\ud800""#, .invalidString),
        refuse("lone low surrogate", #""\udc00""#, .invalidString),
        refuse("surrogates in the wrong order", #""\udc00\ud800""#, .invalidString),
        refuse("high surrogate twice", #""\ud800\ud800""#, .invalidString),
        refuse("high surrogate, then text", #""\ud800abc""#, .invalidString),
        refuse("high surrogate, then an escape", #""\ud800\n""#, .invalidString),
        refuse("high surrogate, then a letter", #""\ud800\u0041""#, .invalidString),
        refuse("high surrogate, then half an escape", #""\ud800\u00""#),
        refuse("lone surrogate in a key", #"{"\udead":1}"#, .invalidString),
        refuse("escaped NUL", #""a\u0000b""#, .invalidString),
        refuse("escaped NUL in a key", #"{"\u0000":1}"#, .invalidString),
        refuse("2^53", "9007199254740992", .numberOutOfRange), refuse("-2^53", "-9007199254740992", .numberOutOfRange),
        refuse("just beyond as a fraction", "9007199254740991.5", .numberOutOfRange),
        refuse("2^63", "9223372036854775808", .numberOutOfRange),
        refuse("2^64", "18446744073709551616", .numberOutOfRange),
        refuse("seventeen digits", "10000000000000000", .numberOutOfRange),
        refuse("a hundred digits", String(repeating: "7", count: 100), .numberOutOfRange),
        refuse("overflow", "1e400", .numberOutOfRange), refuse("negative overflow", "-1e400", .numberOutOfRange),
        refuse("large exponent", "1e16", .numberOutOfRange),
        refuse("endless exponent", "1e99999999999999999999", .numberOutOfRange),
        refuse("same key, same value", #"{"a":1,"a":1}"#, .duplicateKey),
        refuse("same key, other value", #"{"a":1,"a":2}"#, .duplicateKey),
        refuse("too many levels", String(repeating: "[", count: 500), .tooDeep),
        take("underflow is zero", "1e-400", as: "0"), take("negative underflow is zero", "-1e-99999999999", as: "0"),
        take("more digits than a double holds", "0.1000000000000000055511151231257827", as: "0.1"),
        take("rounded to the largest integer", "9007199254740991.4", as: "9007199254740991"),
        take("a hundred digits of a fraction", "0." + String(repeating: "3", count: 100), as: "0.3333333333333333"),
        take("large exponent that is undone", "0.00000000000000000001e20", as: "1"),
        take("noncharacters", "\"\u{FFFF}\u{1FFFE}\""), take("escaped noncharacter", #""\uFFFF""#, as: "\"\u{FFFF}\""),
        take("byte order mark in a string", "\"\u{FEFF}\""), take("private use", "\"\u{E000}\u{F8FF}\""),
    ]
}
