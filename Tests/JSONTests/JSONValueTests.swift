import JSON
import Testing

@Suite("Values")
struct JSONValueTests {
    @Test("give what they hold and nil for anything else")
    func accessors() {
        let value: JSONValue = ["s": "x", "i": 1, "n": 1.5, "b": true, "z": nil, "a": [1, 2]]
        #expect(value["s"]?.stringValue == "x")
        #expect(value["i"]?.intValue == 1)
        #expect(value["i"]?.doubleValue == 1)
        #expect(value["n"]?.doubleValue == 1.5)
        #expect(value["n"]?.intValue == nil)
        #expect(value["b"]?.boolValue == true)
        #expect(value["z"]?.isNull == true)
        #expect(value["a"]?[1] == 2)
        #expect(value["a"]?[2] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["missing"] == nil)
        #expect(value[0] == nil)
        #expect(value["a"]?["s"] == nil)
    }

    @Test("of objects keep their order, and are equal in any order", arguments: [0, 1, 2, 16, 17, 100])
    func objectEquality(count: Int) {
        let pairs = (0..<count).map { ("key\($0)", JSONValue.integer(Int64($0))) }
        let (object, reversed) = (JSONObject(pairs), JSONObject(pairs.reversed()))
        #expect(object.keys == pairs.map(\.0))
        #expect(object == reversed)
        #expect(object.hashValue == reversed.hashValue)
        var changed = reversed
        changed["key0"] = "other"
        #expect((object == changed) == false)
        var renamed = reversed
        renamed["key0"] = nil
        renamed["other"] = 0
        if count > 0 { #expect((object == renamed) == false) }
    }

    @Test("of very large objects are compared in no time", .timeLimit(.minutes(1)))
    func largeObjects() throws {
        let members = (0..<60_000).map { "\"key\($0)\":\($0)" }
        let object = try JSON.parse("{\(members.joined(separator: ","))}")
        let reversed = try JSON.parse("{\(members.reversed().joined(separator: ","))}")
        #expect(object == reversed)
    }

    @Test("of objects are set, replaced and removed by key")
    func objectSubscript() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = 3
        object["c"] = 4
        object["b"] = nil
        object["missing"] = nil
        #expect(object.keys == ["a", "c"])
        #expect(object["a"] == 3)
        #expect(object.count == 2)
        #expect(JSONObject([("a", 1), ("a", 2)]) == ["a": 2])
    }

    // MARK: Pointers

    /// The document of RFC 6901, 5.
    static let document: JSONValue = [
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8,
    ]

    @Test(
        "are found at their RFC 6901 pointer",
        arguments: [
            ("/foo", #"["bar","baz"]"#), ("/foo/0", #""bar""#), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"),
        ])
    func pointers(pointer: String, expected: String) {
        #expect(Self.document.at(pointer: pointer).map { utf8(JSON.write($0)) } == expected)
    }

    @Test(
        "are nil at a pointer that leads nowhere",
        arguments: [
            "foo", "/foo/2", "/foo/-1", "/foo/00", "/foo/+1", "/foo/-", "/foo/", "/foo/0/x", "/none", "//", "/foo/١",
        ])
    func noValue(pointer: String) {
        #expect(Self.document.at(pointer: pointer) == nil)
    }

    @Test("are found at the pointer to any key, however odd")
    func anyPointer() {
        var generator = SeededGenerator(seed: 6901)
        let odd = ["~", "/", "~1", "~01", "~/", "/\u{301}", "~\u{301}", "a/\u{301}b", "\r\n", ""]
        for key in odd + (0..<2000).map({ _ in generator.text() }) {
            let pointer = "/" + JSONPointer.escape(key)
            #expect(pointer.unicodeScalars.filter { $0 == "/" }.count == 1)
            #expect(JSONPointer.unescape(JSONPointer.escape(key)).unicodeScalars.elementsEqual(key.unicodeScalars))
            #expect(JSONValue.object([key: 1]).at(pointer: pointer) == 1, "\(key.debugDescription)")
        }
    }
}
