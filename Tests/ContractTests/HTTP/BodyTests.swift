import API
import HTTP
import JSON
import Shared
import TestSupport
import Testing

/// A body that is refused, and how.
struct BadBody: Sendable, CustomTestStringConvertible {
    var text: String
    var code: String
    var status = 400
    var place: (line: Int64, column: Int64)?
    var field: String?

    init(_ text: String, _ code: String, status: Int = 400, at place: (Int64, Int64)? = nil, field: String? = nil) {
        (self.text, self.code, self.status, self.place, self.field) = (text, code, status, place, field)
    }

    var testDescription: String { "\(code): \(text.prefix(50))" }
}

let badBodies: [BadBody] = [
    .init("{\n  \"title\": nope}", "invalid_json", at: (2, 12)),
    .init("{\"title\":\"a\",}", "invalid_json", at: (1, 14)),
    .init("{\"title\":\"a\"} x", "invalid_json", at: (1, 15)),
    .init("{'title':1}", "invalid_json"),
    .init("{\"title\":01}", "invalid_json"),
    .init("\u{FEFF}{}", "invalid_json"),
    .init("   ", "invalid_json"),
    .init("{\"title\":\"a\",\"title\":\"b\"}", "duplicate_key"),
    .init("{\"title\":\"a\",\"t\\u0069tle\":\"b\"}", "duplicate_key"),
    .init("{\"title\":\"a\\u0000b\"}", "invalid_string"),
    .init("{\"title\":\"a\\ud800b\"}", "invalid_string"),
    .init("{\"title\":\"\\udc00\"}", "invalid_string"),
    .init("{\"topic\":{\"\\u0000\":1}}", "invalid_string"),
    .init("{\"x\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}", "json_too_deep"),
    .init(String(repeating: "[", count: 100_000), "json_too_deep"),
    .init("{\"title\":9007199254740993}", "number_out_of_range"),
    .init("{\"x\":1e400}", "number_out_of_range"),
    .init("{\"title\":1}", "invalid_field", field: "title"),
    .init("{\"title\":[\"a\"]}", "invalid_field", field: "title"),
    .init("{\"title\":{}}", "invalid_field", field: "title"),
    .init("{\"title\":\"a\",\"topic\":true}", "invalid_field", field: "topic"),
    .init("[]", "invalid_body"),
    .init("\"title\"", "invalid_body"),
    .init("null", "invalid_body"),
    .init("1", "invalid_body"),
    .init("{}", "missing_title", field: "title"),
    .init("{\"title\":\" \\n\"}", "missing_title", field: "title"),
    .init("{\"title\":\"" + String(repeating: "a", count: 501) + "\"}", "invalid_field", field: "title"),
]

@Suite("A body")
struct BodyTests {
    @Test("that is wrong is refused with what and where, and leaves nothing", arguments: Transports.allCases)
    func refused(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let before = try api.lastGlobalSeq()
            for bad in badBodies {
                let answer = try api.operator.post(text: bad.text, "/v1/rooms")
                #expect(answer.status == bad.status, "\(bad.testDescription)")
                #expect(answer.code == bad.code, "\(bad.testDescription): \(answer.text)")
                expectProblem(answer)
                if let place = bad.place {
                    #expect(answer["details"]?["line"] == .integer(place.line), "\(bad.testDescription)")
                    #expect(answer["details"]?["column"] == .integer(place.column), "\(bad.testDescription)")
                }
                if let field = bad.field {
                    #expect(answer["details"]?["field"] == .string(field), "\(bad.testDescription)")
                }
            }
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.get("/v1/rooms")["rooms"] == [])
        }
    }

    @Test("that is not UTF-8 is refused")
    func notUTF8() throws {
        try withAPI { api in
            let answer = try api.operator.exchange(
                .post, "/v1/rooms", fields: [.contentType: "application/json"],
                body: Array("{\"title\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8))
            #expect((answer.status, answer.code) == (400, "invalid_utf8"))
        }
    }

    @Test("must be JSON by its name too", arguments: Transports.allCases)
    func mediaType(_ transports: Transports) throws {
        try withAPI(transports) { api in
            for type in [
                "text/plain", "application/x-www-form-urlencoded", "application/json5",
                "multipart/form-data; boundary=a",
            ] {
                let answer = try api.operator.post(text: "{\"title\":\"a\"}", "/v1/rooms", fields: [.contentType: type])
                #expect((answer.status, answer.code) == (415, "unsupported_media_type"), "\(type)")
                expectProblem(answer)
            }
            let none = try api.operator.post(text: "{\"title\":\"a\"}", "/v1/rooms", fields: [:])
            #expect((none.status, none.code) == (415, "unsupported_media_type"))
            for type in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
                let answer = try api.operator.post(text: "{\"title\":\"a\"}", "/v1/rooms", fields: [.contentType: type])
                #expect(answer.status == 201, "\(type)")
            }
        }
    }

    @Test("of more than 1 MiB is refused before it is looked at", arguments: Transports.allCases)
    func tooLarge(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let before = try api.lastGlobalSeq()
            let body = "{\"title\":\"a\",\"topic\":\"" + String(repeating: "b", count: 1 << 20) + "\"}"
            let answer = try api.operator.post(text: body, "/v1/rooms")
            #expect((answer.status, answer.code) == (413, "payload_too_large"))
            expectProblem(answer)
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("is refused on every endpoint that takes one, when it is broken or no object", arguments: Transports.allCases)
    func everywhere(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let engine = try api.engine("engine-a")
            let before = try api.lastGlobalSeq()
            let forEngines = api.application.endpoints.filter { $0.takesEngine && !$0.takesOperator }.map(\.path)
            for endpoint in declaredEndpoints.map(Declared.init) where endpoint.method == .post {
                let client = forEngines.contains(endpoint.template) ? engine : api.operator
                for (text, code) in [("{\"a\":}", "invalid_json"), ("[1]", "invalid_body")] {
                    let answer = try client.post(text: text, endpoint.target)
                    #expect((answer.status, answer.code) == (400, code), "\(endpoint.template)")
                }
            }
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test(
        "with a member of the wrong type gets the name of the member, on every endpoint",
        arguments: [
            ("/v1/runs", "{\"room_id\":1}", "room_id"),
            ("/v1/runs", "{\"tags\":\"a\"}", "tags"),
            ("/v1/runs", "{\"tags\":[\"a\",2]}", "tags.1"),
            ("/v1/approvals", "{\"action\":{}}", "action"),
            ("/v1/approvals", "{\"action\":\"a\",\"expires_at\":\"soon\"}", "expires_at"),
            ("/v1/approvals", "{\"action\":\"a\",\"expires_at\":5}", "expires_at"),
            ("/v1/approvals/x/decide", "{\"decision\":true}", "decision"),
            ("/v1/kill-switch", "{\"engaged\":\"yes\"}", "engaged"),
            ("/v1/kill-switch", "{\"engaged\":1}", "engaged"),
            ("/v1/approvals", "{\"action\":\"a\",\"request\":[1]}", "request"),
            ("/v1/approvals", "{\"action\":\"a\",\"context\":\"x\"}", "context"),
            ("/v1/policy/evaluate", "{\"action\":[]}", "action"),
            ("/v1/policy/evaluate", "{\"action\":\"a\",\"context\":[]}", "context"),
            ("/v1/engines/register", "{\"actor_id\":\"a\",\"scopes\":{\"rooms\":\"*\"}}", "scopes.rooms"),
            ("/v1/runs/x/park", "{\"waits\":[{\"kind\":\"rain\"}]}", "waits.0.kind"),
            ("/v1/runs/x/lease/release", "{\"reason\":\"tired\"}", "reason"),
            ("/v1/steps/x/toolcalls", "{\"tool_name\":\"a\",\"ordinal\":1.5}", "ordinal"),
            ("/v1/steps/x/toolcalls", "{\"tool_name\":\"a\",\"effect\":\"twice\"}", "effect"),
            ("/v1/toolcalls/x/resolve", "{\"outcome\":\"maybe\"}", "outcome"),
            ("/v1/steps/x/artifacts", "{\"kind\":\"a\",\"size_bytes\":\"1\"}", "size_bytes"),
            ("/v1/rooms", "{\"title\":\"a\",\"mission_id\":7}", "mission_id"),
        ])
    func wrongTypes(_ target: String, _ body: String, _ field: String) throws {
        try withAPI { api in
            let answer = try api.operator.post(text: body, target)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.code == "invalid_field")
            #expect(answer["details"]?["field"] == .string(field))
            expectProblem(answer)
        }
    }
}
