import JSON
import Testing

@Suite("Typed values")
struct JSONCodingTests {
    struct RunID: RawRepresentable, Hashable, Codable { var rawValue: String }
    enum Effect: String, Hashable, Codable { case read, write }
    enum Choice: Hashable, Codable { case none, some(stepID: String, tries: [Int]), pair(Int, Effect) }

    struct Step: Hashable, Codable {
        var stepID: String
        var effect: Effect
        var ttlMs: Int64?
    }

    struct Run: Hashable, Codable {
        var runID: RunID
        var steps: [Step]
        var first: Step?
        var labels: [String: String]
        var counts: [String: [Int]]
        var isDone: Bool
        var share: Double
        var input: JSONValue
        var output: JSONValue?
        var extra: JSONObject?
        var choice: Choice?
    }

    static let run = Run(
        runID: RunID(rawValue: "r1"),
        steps: [Step(stepID: "a", effect: .read, ttlMs: 5), Step(stepID: "b", effect: .write)],
        first: nil, labels: ["teamName": "x", "URL": "y", "a b": "z"], counts: ["stepIDs": [1, 2], "": []],
        isDone: true,
        share: 0.5, input: ["Zeta": 1, "alphaBeta": [nil, 1.5]], output: nil, extra: ["k": true],
        choice: .some(stepID: "a", tries: [1]))

    static let text =
        #"{"run_id":"r1","steps":[{"step_id":"a","effect":"read","ttl_ms":5},{"step_id":"b","effect":"write"}],"#
        + #""labels":{"URL":"y","a b":"z","teamName":"x"},"counts":{"":[],"stepIDs":[1,2]},"is_done":true,"share":0.5,"#
        + #""input":{"Zeta":1,"alphaBeta":[null,1.5]},"extra":{"k":true},"choice":{"some":{"step_id":"a","tries":[1]}}}"#

    @Test("are written in the order they are declared, in snake_case, with the keys of data as they are")
    func written() throws {
        #expect(utf8(try JSON.encode(Self.run)) == Self.text)
    }

    @Test("read back as they were")
    func roundTrip() throws {
        #expect(try JSON.decode(Run.self, from: JSON.encode(Self.run)) == Self.run)
        #expect(try JSON.decode(Run.self, from: JSON.canonical(encoding: Self.run)) == Self.run)
        #expect(try JSON.decode(Run.self, from: JSON.encode(Self.run, nulls: .write)) == Self.run)
        #expect(try JSON.decode(Run.self, from: JSON.value(of: Self.run)) == Self.run)
    }

    @Test("are the same bytes in canonical form, whether typed or as a tree")
    func canonical() throws {
        #expect(try JSON.canonical(encoding: Self.run) == JSON.canonical(JSON.parse(Self.text)))
        #expect(try JSON.canonical(encoding: Self.run) == JSON.canonical(JSON.value(of: Self.run)))
    }

    /// A shape that holds any value in every place where one can stand.
    struct Holder: Codable {
        var zValue: JSONValue
        var list: [JSONValue]
        var aMap: [String: JSONValue]
        var inner: [String: [String: Inner]]
        var maybe: Inner?

        struct Inner: Codable {
            var textURL: String
            var bytesMax: Int
            var aShare: Double
        }

        init(_ generator: inout SeededGenerator) {
            func map<T>(_ value: (inout SeededGenerator) -> T) -> [String: T] {
                let pairs = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                    (generator.text(), value(&generator))
                }
                return Dictionary(pairs) { $1 }
            }
            func inner(_ generator: inout SeededGenerator) -> Inner {
                Inner(
                    textURL: generator.text(), bytesMax: Int.random(in: -9...99, using: &generator),
                    aShare: generator.fraction())
            }
            zValue = generator.value(depth: 2)
            list = (0..<Int.random(in: 0...3, using: &generator)).map { _ in generator.value(depth: 1) }
            aMap = map { $0.value(depth: 1) }
            self.inner = map { [$0.text(): inner(&$0)] }
            maybe = generator.oneIn(2) ? inner(&generator) : nil
        }
    }

    @Test("of any content are the same bytes in canonical form, whether typed or as a tree, and read back")
    func randomContent() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let holder = Holder(&generator)
            let canonical = try JSON.canonical(encoding: holder)
            #expect(try JSON.canonical(JSON.parse(JSON.encode(holder))) == canonical)
            let again = try JSON.decode(Holder.self, from: canonical)
            #expect(try JSON.canonical(encoding: again) == canonical)
        }
    }

    // MARK: Optionals

    struct Optionals: Hashable, Codable {
        var bool: Bool?, string: String?, double: Double?, float: Float?
        var int: Int?, int8: Int8?, int16: Int16?, int32: Int32?, int64: Int64?
        var uint: UInt?, uint8: UInt8?, uint16: UInt16?, uint32: UInt32?, uint64: UInt64?
        var effect: Effect?, list: [Int]?, map: [String: Int]?, value: JSONValue?, object: JSONObject?
    }

    @Test("that are nil are left out, or null where that is asked for")
    func nilMembers() throws {
        #expect(utf8(try JSON.encode(Optionals())) == "{}")
        #expect(utf8(try JSON.canonical(encoding: Optionals())) == "{}")
        let nulls = try JSON.parse(JSON.encode(Optionals(), nulls: .write)).objectValue!
        #expect(nulls.count == 19)
        #expect(nulls.allSatisfy { $0.value.isNull })
    }

    @Test("that are optional are nil when they are missing and when they are null")
    func optionals() throws {
        #expect(try JSON.decode(Optionals.self, from: Array("{}".utf8)) == Optionals())
        #expect(try JSON.decode(Optionals.self, from: JSON.encode(Optionals(), nulls: .write)) == Optionals())
        let step = try JSON.decode(Step.self, from: Array(#"{"step_id":"a","effect":"read","ttl_ms":null,"x":1}"#.utf8))
        #expect(step == Step(stepID: "a", effect: .read, ttlMs: nil))
        #expect(try JSON.decode([Int?].self, from: Array("[1,null,2]".utf8)) == [1, nil, 2])
        #expect(utf8(try JSON.encode([1, nil, 2] as [Int?])) == "[1,null,2]")
        #expect(utf8(try JSON.encode(["a": nil, "b": 1] as [String: Int?])) == #"{"a":null,"b":1}"#)
    }

    @Test("that are all there are read, whatever their type")
    func allThere() throws {
        let full = Optionals(
            bool: true, string: "s", double: 1.5, float: 0.25, int: -1, int8: -128, int16: .min, int32: .min, int64: -5,
            uint: 1, uint8: 255, uint16: .max, uint32: .max, uint64: 7, effect: .write, list: [1], map: ["aB": 2],
            value: ["x": nil], object: ["y": 1])
        #expect(try JSON.decode(Optionals.self, from: JSON.encode(full)) == full)
    }

    // MARK: What is refused

    @Test(
        "of another shape are refused with the pointer to the place",
        arguments: [
            ("[]", "", "the document: expected an object, found an array"),
            ("{}", "/run_id", "/run_id is missing"),
            (#"{"run_id":null}"#, "/run_id", "/run_id: expected a string, found null"),
            (#"{"run_id":7}"#, "/run_id", "/run_id: expected a string, found an integer"),
            (#"{"run_id":"r"}"#, "/steps", "/steps is missing"),
            (#"{"run_id":"r","steps":{}}"#, "/steps", "/steps: expected an array, found an object"),
            (#"{"run_id":"r","steps":[1]}"#, "/steps/0", "/steps/0: expected an object, found an integer"),
            (
                #"{"run_id":"r","steps":[{"step_id":"a","effect":"read"},{"effect":"read"}]}"#, "/steps/1/step_id",
                "/steps/1/step_id is missing"
            ),
            (
                #"{"run_id":"r","steps":[{"step_id":"a","effect":"read","ttl_ms":1.5}]}"#, "/steps/0/ttl_ms",
                "/steps/0/ttl_ms: expected an integer, found a fraction"
            ),
            (#"{"run_id":"r","steps":[],"labels":[]}"#, "/labels", "/labels: expected an object, found an array"),
            (
                #"{"run_id":"r","steps":[],"labels":{"teamName":1}}"#, "/labels/teamName",
                "/labels/teamName: expected a string, found an integer"
            ),
            (
                #"{"run_id":"r","steps":[],"labels":{},"counts":{"a/~b":[1,true]}}"#, "/counts/a~1~0b/1",
                "/counts/a~1~0b/1: expected an integer, found a boolean"
            ),
            (
                #"{"run_id":"r","steps":[],"labels":{},"counts":{"007":null}}"#, "/counts/007",
                "/counts/007: expected an array, found null"
            ),
            (
                #"{"run_id":"r","steps":[],"labels":{},"counts":{},"is_done":0}"#, "/is_done",
                "/is_done: expected true or false, found an integer"
            ),
        ])
    func refused(text: String, pointer: String, description: String) throws {
        let error = try #require(try shapeError(Run.self, text))
        #expect(error.pointer == pointer)
        #expect(error.description == description)
    }

    @Test("that are enums refuse an unknown raw value, where it stands")
    func unknownRawValue() throws {
        let text = #"{"run_id":"r","steps":[{"step_id":"a","effect":"explode"}]}"#
        let error = try #require(try shapeError(Run.self, text))
        #expect(error.pointer == "/steps/0/effect")
        guard case .invalid = error.kind else {
            Issue.record("expected .invalid, found \(error)")
            return
        }
        #expect(try shapeError([String: Effect].self, #"{"aB":"read","cD":"no"}"#)?.pointer == "/cD")
        #expect(try shapeError([Effect].self, #"["read","write","no"]"#)?.pointer == "/2")
        #expect(try shapeError(Effect.self, #""no""#)?.pointer == "")
    }

    @Test("never put a whole document into an error")
    func shortErrors() throws {
        let text = "\"" + String(repeating: "x", count: 100_000) + "\""
        let error = try #require(try shapeError(Effect.self, text))
        #expect(error.description.utf8.count < 500)
    }

    @Test("that are enums with payloads refuse another shape, where it stands")
    func payloads() throws {
        for choice: Choice in [.none, .some(stepID: "x", tries: []), .pair(1, .write)] {
            #expect(try JSON.decode(Choice.self, from: JSON.encode(choice)) == choice)
            #expect(
                try JSON.decode([Choice].self, from: JSON.canonical(encoding: [choice, choice])) == [choice, choice])
        }
        #expect(
            try shapeError([Choice].self, #"[{"some":{"step_id":"a","tries":[1,"2"]}}]"#)?.pointer == "/0/some/tries/1")
        #expect(try shapeError([Choice].self, #"[{"some":{"tries":[]}}]"#)?.pointer == "/0/some/step_id")
        #expect(try shapeError([Choice].self, #"[{"other":{}}]"#)?.pointer == "/0")
    }

    struct Picky: Codable {
        var name: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            guard name != "bad" else {
                throw DecodingError.dataCorruptedError(forKey: .name, in: container, debugDescription: "expected good")
            }
            guard name != "worse" else { throw JSONShapeError("/name", .invalid("expected better")) }
            guard name != "worst" else { throw Refusal() }
        }

        struct Refusal: Error {}
    }

    @Test("that refuse by themselves are refused where they stand, with their own words")
    func ownErrors() throws {
        let bad = try #require(try shapeError([[String: Picky]].self, #"[{"aB":{"name":"bad"}}]"#))
        #expect(bad.description == "/0/aB/name: expected good")
        let worse = try #require(try shapeError([[String: Picky]].self, #"[{"aB":{"name":"worse"}}]"#))
        #expect(worse.description == "/0/aB/name: expected better")
        #expect(throws: Picky.Refusal.self) { try shapeError([Picky].self, #"[{"name":"worst"}]"#) }
    }

    @Test("throw the parser's error if the bytes are no JSON")
    func noJSON() {
        #expect(throws: JSONError.self) { try JSON.decode(Run.self, from: Array("{".utf8)) }
    }

    // MARK: Integers

    struct Box<Value: Codable>: Codable { var v: Value }

    @Test("that are integers are taken at both ends of their range and refused beyond")
    func ranges() throws {
        func check<T: FixedWidthInteger & Codable & Equatable>(_ type: T.Type) throws {
            let (low, high) = (max(Int64(clamping: T.min), -magnitudeMax), min(Int64(clamping: T.max), magnitudeMax))
            for value in [low, high] {
                #expect(try JSON.decode(T.self, from: .integer(value)) == T(value))
                #expect(try JSON.decode([T].self, from: [.integer(value)]) == [T(value)])
                #expect(try JSON.decode(Box<T>.self, from: ["v": .integer(value)]).v == T(value))
                #expect(utf8(try JSON.encode([T(value)])) == "[\(value)]")
                #expect(utf8(try JSON.encode(Box(v: T(value)))) == #"{"v":\#(value)}"#)
            }
            for value in [low - 1, high + 1] where T(exactly: value) == nil {
                #expect(throws: JSONShapeError("/v", .invalid("expected \(T.min) … \(T.max), found \(value)"))) {
                    try JSON.decode(Box<T>.self, from: ["v": .integer(value)])
                }
                #expect(throws: JSONShapeError.self) { try JSON.decode(T.self, from: .integer(value)) }
                #expect(throws: JSONShapeError.self) { try JSON.decode([T].self, from: [.integer(value)]) }
            }
        }
        try check(Int.self)
        try check(Int8.self)
        try check(Int16.self)
        try check(Int32.self)
        try check(Int64.self)
        try check(UInt.self)
        try check(UInt8.self)
        try check(UInt16.self)
        try check(UInt32.self)
        try check(UInt64.self)
    }

    struct Lists<Value: Encodable>: Encodable { var aList: [String: [Value]] }

    private let magnitudeMax: Int64 = 9_007_199_254_740_991

    @Test("that nobody could read back are refused when they are written, with the pointer to the place")
    func unreadable() {
        func check<T: Encodable>(_ value: T) {
            let lists = Lists(aList: ["kB": [value]])
            for encode: (Lists<T>) throws -> [UInt8] in [{ try JSON.encode($0) }, { try JSON.canonical(encoding: $0) }]
            {
                do {
                    _ = try encode(lists)
                    Issue.record("\(value) was written")
                } catch {
                    #expect((error as? JSONShapeError)?.pointer.hasPrefix("/a_list/kB/0") == true)
                }
            }
        }
        check(magnitudeMax + 1)
        check(-magnitudeMax - 1)
        check(UInt64.max)
        check(UInt.max)
        check(Double.infinity)
        check(Double.nan)
        check(Float.infinity)
        check(1e16)
        check("a\0b")
        check(JSONValue.string("\0"))
        check(JSONValue.object(["\0": 1]))
        check(JSONValue.integer(.max))
        check(["\0": 1])
        check(JSONObject([("x", .number(1e300))]))
    }

    // MARK: Other ways to encode

    struct Flat: Encodable {
        var base: Step

        enum CodingKeys: String, CodingKey { case kindName }

        func encode(to encoder: any Encoder) throws {
            try base.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode("flat", forKey: .kindName)
        }
    }

    @Test("may put members of two types into one object")
    func flattened() throws {
        let flat = Flat(base: Step(stepID: "a", effect: .read))
        #expect(
            utf8(try JSON.encode([flat, flat])) == #"[{"step_id":"a","effect":"read","kind_name":"flat"},"#
                + #"{"step_id":"a","effect":"read","kind_name":"flat"}]"#)
        #expect(utf8(try JSON.canonical(encoding: flat)) == #"{"effect":"read","kind_name":"flat","step_id":"a"}"#)
    }

    struct Nesting: Codable, Equatable {
        var rows: [[String: Int]]

        enum CodingKeys: String, CodingKey { case rowList, lastCount }
        enum RowKeys: String, CodingKey { case zTotal, aParts }

        init(rows: [[String: Int]]) { self.rows = rows }

        init(from decoder: any Decoder) throws {
            let outer = try decoder.container(keyedBy: CodingKeys.self)
            var list = try outer.nestedUnkeyedContainer(forKey: .rowList)
            rows = []
            while !list.isAtEnd {
                let row = try list.nestedContainer(keyedBy: RowKeys.self)
                rows.append(try row.decode([String: Int].self, forKey: .aParts))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var outer = encoder.container(keyedBy: CodingKeys.self)
            var list = outer.nestedUnkeyedContainer(forKey: .rowList)
            for row in rows {
                var inner = list.nestedContainer(keyedBy: RowKeys.self)
                try inner.encode(row.count, forKey: .zTotal)
                try inner.encode(row, forKey: .aParts)
            }
            try outer.encode(rows.count, forKey: .lastCount)
        }
    }

    @Test("may be written and read with nested containers")
    func nested() throws {
        let value = Nesting(rows: [["aB": 1], [:]])
        let text = #"{"row_list":[{"z_total":1,"a_parts":{"aB":1}},{"z_total":0,"a_parts":{}}],"last_count":2}"#
        #expect(utf8(try JSON.encode(value)) == text)
        #expect(try JSON.canonical(encoding: value) == JSON.canonical(JSON.parse(text)))
        #expect(try JSON.decode(Nesting.self, from: Array(text.utf8)) == value)
        let wrong = #"[{"row_list":[{"a_parts":{"aB":"x"}}]}]"#
        #expect(try shapeError([Nesting].self, wrong)?.pointer == "/0/row_list/0/a_parts/aB")
    }

    @Test("that are empty are written as the brackets they asked for")
    func empty() throws {
        struct Nothing: Codable {}
        #expect(utf8(try JSON.encode(Nothing())) == "{}")
        #expect(utf8(try JSON.encode([Nothing]())) == "[]")
        #expect(utf8(try JSON.encode([String: Nothing]())) == "{}")
        #expect(utf8(try JSON.encode([Nothing(), Nothing()])) == "[{},{}]")
    }

    @Test("that are plain stand alone")
    func plain() throws {
        #expect(utf8(try JSON.encode("a\n")) == #""a\n""#)
        #expect(utf8(try JSON.encode(7)) == "7")
        #expect(utf8(try JSON.encode(1e3)) == "1000")
        #expect(utf8(try JSON.encode(true)) == "true")
        #expect(utf8(try JSON.encode(Effect.read)) == #""read""#)
        #expect(try JSON.decode(String.self, from: "x") == "x")
        #expect(try JSON.decode(Double.self, from: 3) == 3)
        #expect(try JSON.decode(Bool.self, from: true))
    }

    @Test("take written JSON as it is, and give it in canonical form")
    func raw() throws {
        struct Event: Codable, Equatable {
            var type: String
            var body: JSONRaw
            init(body: String) { (type, self.body) = ("t", JSONRaw(Array(body.utf8))) }
        }
        let event = Event(body: #"{"a":[1],"b":null}"#)
        #expect(utf8(try JSON.encode(event)) == #"{"type":"t","body":{"a":[1],"b":null}}"#)
        #expect(utf8(try JSON.canonical(encoding: event)) == #"{"body":{"a":[1],"b":null},"type":"t"}"#)
        #expect(try JSON.decode(Event.self, from: Array(#"{"type":"t","body":{"b":null,"a":[1.0]}}"#.utf8)) == event)
    }

    @Test("may be dictionaries by identifiers, whose keys are data as well")
    func identifierKeys() throws {
        struct Name: RawRepresentable, Hashable, Codable, CodingKeyRepresentable { var rawValue: String }
        let value = [Name(rawValue: "runID"): 1, Name(rawValue: "aB"): 2]
        #expect(utf8(try JSON.encode(value)) == #"{"aB":2,"runID":1}"#)
        #expect(try JSON.decode([Name: Int].self, from: JSON.encode(value)) == value)
        #expect(utf8(try JSON.encode([10: "a", 9: "b"])) == #"{"10":"a","9":"b"}"#)
        #expect(try JSON.decode([Int: String].self, from: ["10": "a"]) == [10: "a"])
    }

    @Test("of a very large dictionary are read in no time", .timeLimit(.minutes(1)))
    func largeDictionary() throws {
        let members = (0..<60_000).map { "\"key\($0)\":\($0)" }
        let dictionary = try JSON.decode([String: Int].self, from: Array("{\(members.joined(separator: ","))}".utf8))
        #expect(dictionary.count == 60_000)
        #expect(dictionary["key59999"] == 59_999)
    }
}
