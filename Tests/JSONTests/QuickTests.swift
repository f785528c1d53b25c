import JSON
import Testing

@Suite("JSON, quickly")
struct QuickTests {
    struct Inner: Codable, Equatable { var stepIDs: [String]; var ttl: Int64?; var raw: JSONValue }
    struct Outer: Codable, Equatable { var runID: String; var inner: Inner; var map: [String: Int]; var note: String? }

    @Test("round trips typed values")
    func roundTrip() throws {
        let value = Outer(runID: "r", inner: Inner(stepIDs: ["a", "b"], ttl: nil, raw: ["z": 1, "a": [1.5, nil]]), map: ["runID": 1], note: nil)
        let text = String(decoding: try JSON.encode(value), as: UTF8.self)
        #expect(text == #"{"run_id":"r","inner":{"step_ids":["a","b"],"raw":{"z":1,"a":[1.5,null]}},"map":{"runID":1}}"#)
        #expect(try JSON.decode(Outer.self, from: Array(text.utf8)) == value)
        let nulls = String(decoding: try JSON.encode(value, nulls: .write), as: UTF8.self)
        #expect(nulls.hasSuffix(#""map":{"runID":1},"note":null}"#))
        let canonical = String(decoding: try JSON.canonical(encoding: value), as: UTF8.self)
        #expect(canonical == #"{"inner":{"raw":{"a":[1.5,null],"z":1},"step_ids":["a","b"]},"map":{"runID":1},"run_id":"r"}"#)
    }
    @Test("tells where", arguments: ["{\"a\":1,\n \"a\":2}", "[1,]", "{", "\"\\ud800\"", "01", "1e400", "[9007199254740992]"])
    func errors(text: String) { #expect(throws: JSONError.self) { try JSON.parse(text) } }
}
