import JSON
import Shared
import Testing

@Suite("The rules of a body")
struct FieldRuleTests {
    /// The code it is refused with; a wrong type is the decoding's to refuse.
    private func code<Body: RuledBody & Decodable>(_ type: Body.Type, _ body: JSONObject) -> ReasonCode? {
        do {
            _ = try FieldRule.read(type, .object(body))
            return nil
        } catch let rejection as Rejection {
            return rejection.reason
        } catch {
            return .invalidField
        }
    }

    @Test("refuse a run that cannot be, with the code that clients know")
    func run() {
        func refused(_ body: JSONObject) -> ReasonCode? {
            var body = body
            body["room_id"] = "room_1"
            return code(CreateRun.self, body)
        }
        #expect(code(CreateRun.self, [:]) == .missingRoomID)
        #expect(code(CreateRun.self, ["room_id": " "]) == .missingRoomID)
        #expect(code(CreateRun.self, ["room_id": nil]) == .missingRoomID)
        #expect(refused([:]) == nil)
        #expect(refused(["title": .string(String(repeating: "t", count: Limits.titleBytesMax))]) == nil)
        #expect(refused(["title": .string(String(repeating: "t", count: Limits.titleBytesMax + 1))]) == .invalidField)
        #expect(refused(["goal": .string(String(repeating: "ü", count: Limits.textBytesMax / 2 + 1))]) == .invalidField)
        #expect(refused(["tags": .array(Array(repeating: "t", count: Limits.tagsMax + 1))]) == .invalidField)
        #expect(refused(["tags": [.string(String(repeating: "t", count: Limits.nameBytesMax + 1))]]) == .invalidField)
        #expect(refused(["input": [1]]) == .invalidField)
        #expect(refused(["input": nil, "tags": nil]) == nil)
    }

    @Test("refuse numbers that are out of range")
    func toolCall() {
        for (ordinal, tryNo, expected) in [
            (1, 1, nil), (100_000, 1_000, nil), (0, 1, .invalidField), (100_001, 1, .invalidField),
            (1, 0, .invalidField), (1, 1_001, .invalidField),
        ] as [(Int64, Int64, ReasonCode?)] {
            let body: JSONObject = ["tool_name": "shell", "ordinal": .integer(ordinal), "try_no": .integer(tryNo)]
            #expect(code(RequestToolCall.self, body) == expected)
        }
        #expect(code(RequestToolCall.self, ["ordinal": 1]) == .missingToolName)
        #expect(code(ResolveToolCall.self, ["outcome": "perhaps"]) == .invalidField)
    }

    @Test("name the member and what is allowed")
    func facts() {
        #expect {
            _ = try FieldRule.read(ResolveToolCall.self, ["outcome": "perhaps"])
        } throws: { error in
            let rejection = error as? Rejection
            return rejection?.details["field"] == "outcome" && rejection?.details["allowed"] == ["succeeded", "failed"]
        }
    }

    @Test("speak of a wrong type before they speak of what is missing")
    func types() {
        #expect(code(CreateRun.self, ["tags": "a"]) == .invalidField)
        #expect(code(CreateRun.self, ["room_id": 5]) == .invalidField)
    }
}
