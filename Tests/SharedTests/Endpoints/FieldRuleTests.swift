import JSON
import Shared
import Testing

@Suite("The rules of a body")
struct FieldRuleTests {
    private func code(_ rules: [FieldRule], _ body: JSONObject) -> ReasonCode? {
        do throws(Rejection) {
            try FieldRule.check(rules, body)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("refuse a run that cannot be, with the code that clients know")
    func run() {
        func refused(_ body: JSONObject) -> ReasonCode? {
            var body = body
            body["room_id"] = "room_1"
            return code(CreateRun.rules, body)
        }
        #expect(code(CreateRun.rules, [:]) == .missingRoomID)
        #expect(code(CreateRun.rules, ["room_id": " "]) == .missingRoomID)
        #expect(code(CreateRun.rules, ["room_id": nil]) == .missingRoomID)
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
            #expect(code(RequestToolCall.rules, body) == expected)
        }
        #expect(code(RequestToolCall.rules, ["ordinal": 1]) == .missingToolName)
        #expect(code(ResolveToolCall.rules, ["outcome": "perhaps"]) == .invalidField)
    }

    @Test("name the member and what is allowed")
    func facts() {
        #expect {
            try FieldRule.check(ResolveToolCall.rules, ["outcome": "perhaps"])
        } throws: { error in
            let rejection = error as? Rejection
            return rejection?.details["field"] == "outcome" && rejection?.details["allowed"] == ["succeeded", "failed"]
        }
    }

    @Test("leave wrong types to the type, which says what it wants")
    func types() {
        #expect(code(CreateRun.rules, ["room_id": 5]) == nil)
    }
}
