import JSON
import Testing

@Suite("Canonical JSON")
struct JSONCanonicalTests {
    @Test("has its keys in the order of UTF-16 code units, as the example of RFC 8785 shows")
    func keyOrder() throws {
        let text = #"""
            {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
            "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}
            """#
        let values = try JSON.parse(JSON.canonical(JSON.parse(text))).objectValue!.map { $0.value.stringValue! }
        #expect(
            values == [
                "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
                "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
            ])
    }

    @Test("orders any keys as their UTF-16 code units are ordered")
    func anyKeyOrder() throws {
        var generator = SeededGenerator(seed: 8785)
        for _ in 0..<300 {
            let object = generator.object(depth: 0)
            let expected = object.keys.sorted { $0.utf16.lexicographicallyPrecedes($1.utf16) }
            let written = try JSON.parse(JSON.canonical(.object(object))).objectValue!.keys
            #expect(written.elementsEqual(expected) { Array($0.utf16) == Array($1.utf16) })
        }
    }

    @Test("has no space, the shortest escapes and numbers as JavaScript writes them")
    func form() throws {
        let text =
            #"{ "numbers": [333333333.33333329, 1E3, 4.50, 2e-3, 0.000000000000000000000000001],"# + "\n"
            + #" "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }"#
        #expect(
            try canonicalText(text)
                == #"{"literals":[null,true,false],"numbers":[333333333.3333333,1000,4.5,0.002,1e-27],"#
                + #""string":"€$\u000f\nA'B\"\\\\\"/"}"#)
    }

    @Test("is a fixed point and reads back as the same value")
    func fixedPoint() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<2000 {
            let value = generator.value()
            let bytes = JSON.canonical(value)
            let again = try JSON.parse(bytes)
            #expect(again == value)
            #expect(JSON.canonical(again) == bytes)
        }
    }

    @Test("is the same whatever the order of the members, and so are equality and hash")
    func orderIndependent() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            let value = generator.value()
            let other = generator.shuffled(value)
            #expect(JSON.canonical(value) == JSON.canonical(other))
            #expect(value == other)
            #expect(value.hashValue == other.hashValue)
        }
    }

    @Test("differs where values differ")
    func different() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2000 {
            let (left, right) = (generator.value(depth: 2), generator.value(depth: 2))
            if left != right { #expect(JSON.canonical(left) != JSON.canonical(right)) }
            if JSON.canonical(left) == JSON.canonical(right) { #expect(left == right) }
        }
    }

    @Test("and compact and pretty JSON read back as the same value, with the members in their order")
    func otherForms() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<500 {
            let value = generator.value()
            let compact = JSON.write(value)
            #expect(try JSON.parse(compact) == value)
            #expect(JSON.write(try JSON.parse(compact)) == compact)
            #expect(JSON.write(try JSON.parse(JSON.pretty(value))) == compact)
        }
    }

    @Test("is nothing that people read: pretty is")
    func pretty() {
        let value: JSONValue = ["b": [1, [], ["c": nil]], "a": [:], "t\n": "x\ny"]
        let lines = [
            "{", #"  "b": ["#, "    1,", "    [],", "    {", #"      "c": null"#, "    }", "  ],", #"  "a": {},"#,
            #"  "t\n": "x\ny""#, "}",
        ]
        #expect(JSON.pretty(value) == lines.joined(separator: "\n"))
    }
}
