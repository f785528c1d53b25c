import JSON
import Testing

@Suite("The parser")
struct JSONParserTests {
    @Test("takes what RFC 8259 says must be taken", arguments: GrammarCase.accepted)
    func accepts(_ example: GrammarCase) throws {
        #expect(utf8(JSON.canonical(try JSON.parse(example.bytes))) == example.canonical)
    }

    @Test("refuses what RFC 8259 does not allow", arguments: GrammarCase.rejected)
    func rejects(_ example: GrammarCase) {
        #expect(refusal(example.bytes)?.kind == example.kind)
    }

    @Test("has a verdict where RFC 8259 leaves one open", arguments: GrammarCase.open)
    func decides(_ example: GrammarCase) throws {
        #expect(refusal(example.bytes)?.kind == example.kind)
        guard example.kind == nil else { return }
        #expect(utf8(JSON.canonical(try JSON.parse(example.bytes))) == example.canonical)
    }

    @Test("never takes a bracket or string that is cut off, and never crashes on one")
    func truncation() {
        for example in GrammarCase.accepted + GrammarCase.rejected + GrammarCase.open {
            for count in 0..<example.bytes.count {
                let error = refusal(Array(example.bytes.prefix(count)))
                if example.kind == nil, example.isEnclosed { #expect(error != nil, "\(example) cut to \(count)") }
            }
        }
    }

    @Test("never crashes on a case with one byte changed, and what it takes is written alike when read again")
    func mutation() throws {
        for example in GrammarCase.accepted + GrammarCase.open {
            for index in example.bytes.indices {
                for byte: UInt8 in [0, 0x22, 0x2C, 0x30, 0x5C, 0x5D, 0x7D, 0x80, 0xC3, 0xED, 0xFF] {
                    var bytes = example.bytes
                    bytes[index] = byte
                    guard let value = try? JSON.parse(bytes) else { continue }
                    #expect(JSON.canonical(try JSON.parse(JSON.canonical(value))) == JSON.canonical(value))
                }
            }
        }
    }

    @Test("takes a string whatever its length and wherever its end falls")
    func stringLengths() throws {
        for count in 0...70 {
            let plain = String(repeating: "x", count: count)
            #expect(try JSON.parse("\"\(plain)\"") == .string(plain))
            #expect(try JSON.parse("[\"\(plain)\\n\(plain)é\"]")[0] == .string("\(plain)\n\(plain)é"))
            #expect(refusal("\"\(plain)\u{1F}\"")?.offset == count + 1)
            #expect(refusal("\"\(plain)")?.offset == count + 1)
        }
    }

    @Test("tells every byte that ends a plain stretch of a string from those that do not")
    func everyByteInAString() throws {
        for byte in UInt8(1)..<0x80 {
            for lead in 0..<9 {
                let text = String(repeating: "a", count: lead) + String(Unicode.Scalar(byte)) + "qbcdefghi"
                let isPlain = byte >= 0x20 && byte != 0x22 && byte != 0x5C
                #expect((refusal("\"\(text)\"") == nil) == isPlain, "byte \(byte) after \(lead)")
                #expect(try JSON.parse(JSON.write(.string(text))) == .string(text), "byte \(byte) after \(lead)")
            }
        }
    }

    // MARK: Keys

    @Test(
        "refuses a key that stands twice, however it is written",
        arguments: [
            (#"{"a":1,"a":2}"#, 7), (#"{"a":1,"\u0061":2}"#, 7), (#"{"\u0061":1,"a":2}"#, 12), (#"{"":1,"":2}"#, 6),
            (#"{"b":{"a":1,"c":{},"a":2}}"#, 19), (#"{"\ud83d\ude00":1,"😀":2}"#, 18), (#"{"a\/":1,"a/":2}"#, 9),
        ])
    func duplicateKeys(text: String, offset: Int) {
        #expect(refusal(text)?.kind == .duplicateKey)
        #expect(refusal(text)?.offset == offset)
    }

    @Test("refuses two keys that Swift holds to be equal, so that no dictionary loses one")
    func equivalentKeys() {
        #expect(refusal("{\"\u{E9}\":1,\"e\u{301}\":2}")?.kind == .duplicateKey)
    }

    @Test("takes the same key in different objects")
    func sameKeyElsewhere() {
        #expect(refusal(#"{"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}}"#) == nil)
    }

    @Test("finds a key that stands twice among any number of keys", arguments: [2, 15, 16, 17, 18, 33, 500])
    func duplicateAmongMany(count: Int) {
        let members = (0..<count).map { "\"key\($0)\":\($0)" }
        #expect(refusal("{\(members.joined(separator: ","))}") == nil)
        for twin in [0, count / 2, count - 1] {
            let plain = members + ["\"key\(twin)\":true"]
            let escaped = members + ["\"\\u006bey\(twin)\":true"]
            #expect(refusal("{\(plain.joined(separator: ","))}")?.kind == .duplicateKey)
            #expect(refusal("{\(escaped.joined(separator: ","))}")?.kind == .duplicateKey)
        }
    }

    @Test("echoes no more than sixty scalars of a key in an error")
    func longKeyInError() throws {
        let key = "a" + String(repeating: "\u{301}", count: 5000)
        let error = try #require(refusal("{\"\(key)\":1,\"\(key)\":2}"))
        #expect(error.detail.unicodeScalars.count < 100)
    }

    // MARK: Limits

    @Test("takes 64 levels and refuses 65")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(refusal(nested(64)) == nil)
        #expect(refusal(nested(65))?.kind == .tooDeep)
        #expect(refusal(nested(65))?.offset == 64)
        let objects = String(repeating: "{\"a\":", count: 65)
        #expect(refusal(objects)?.kind == .tooDeep)
        #expect(refusal(String(repeating: "[{\"a\":", count: 50_000))?.kind == .tooDeep)
        #expect(refusal("[\(nested(63)),\(nested(63))]") == nil, "levels that were closed do not count")
    }

    @Test("takes as many bytes as the limit says and not one more")
    func bytes() {
        var limits = JSONLimits()
        limits.bytesMax = 10
        #expect(refusal("[1,2,3,45]", limits: limits) == nil)
        #expect(refusal("[1,2,3,456]", limits: limits)?.kind == .tooLarge)
        #expect(refusal("         1 ", limits: limits)?.kind == .tooLarge)
    }

    @Test("takes as many values as the limit says and not one more")
    func values() {
        var limits = JSONLimits()
        limits.valuesMax = 5
        #expect(refusal(#"[1,{"a":2,"b":3}]"#, limits: limits) == nil)
        #expect(refusal(#"[1,{"a":2,"b":[]},4]"#, limits: limits)?.kind == .tooLarge)
    }

    // MARK: Places

    @Test(
        "says the line and the column in bytes where it stopped",
        arguments: [
            ("", 1, 1, 0), ("x", 1, 1, 0), ("[1,]", 1, 4, 3), ("{\"a\":1,\n \"a\":2}", 2, 2, 9),
            ("[\n\n  tru]", 3, 3, 5),
            ("[\r\n01]", 2, 2, 4), ("\"é\u{1}\"", 1, 4, 3), ("[1] 2", 1, 5, 4), ("\n\n", 3, 1, 2), ("[1e]", 1, 4, 3),
            (#"["\x"]"#, 1, 4, 3), (#"["\ud800"]"#, 1, 3, 2), (#"["ab\u0000"]"#, 1, 5, 4), ("[1,\n1e99]", 2, 1, 4),
        ])
    func places(text: String, line: Int, column: Int, offset: Int) throws {
        let error = try #require(refusal(text))
        #expect([error.line, error.column, error.offset] == [line, column, offset])
        #expect(error.description.hasSuffix(" at line \(line), column \(column)"))
    }

    @Test("says which byte is no UTF-8", arguments: ["[\"ab", "{\"ab", "[\"\\n\\n", "[\"€a", "[\"abcdefghijklm\\n"])
    func invalidByte(text: String) {
        let error = refusal(Array(text.utf8) + [0xC3, 0x22])
        #expect(error?.kind == .invalidUTF8)
        #expect(error?.offset == text.utf8.count)
    }

    @Test("says what it expected and what it found")
    func details() {
        #expect(refusal("[1 2]")?.description == "expected a comma or ], found '2' at line 1, column 4")
        #expect(refusal("{1}")?.detail == "expected a key in quotes, found '1'")
        #expect(refusal("[")?.detail == "expected a value, found the end of the document")
        #expect(refusal("\u{FEFF}1")?.detail == "expected a value, found byte 0xef")
    }
}
