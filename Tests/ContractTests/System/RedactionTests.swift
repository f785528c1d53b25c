import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("The redaction log")
struct RedactionTests {
    private static let token = "ghp_aB3dE6gH9jK2mN5pQ8sT"

    private func leak(_ api: TestAPI, _ text: String, in workspace: WorkspaceID? = nil, room: RoomID? = nil) throws {
        var body: JSONObject = ["action": "data.read", "title": .string(text)]
        if let room { body["room_id"] = .string(room.rawValue) }
        #expect(try api.operator(in: workspace).post("/v1/approvals", .object(body)).status == 201)
    }

    private func lines(_ api: TestAPI, _ query: String = "", in workspace: WorkspaceID? = nil) throws -> [JSONValue] {
        let answer = try api.operator(in: workspace).get("/v1/audit/redactions?\(query)")
        #expect(answer.status == 200, "\(query): \(answer.text)")
        return answer["redactions"]?.arrayValue ?? []
    }

    @Test("has a line for each secret and one for the event about them, newest first", arguments: Transports.allCases)
    func lines(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            #expect(try lines(api).isEmpty)
            try leak(api, "one \(Self.token)", room: room)
            api.clock.advance(5)
            try leak(api, "two \(Self.token) and AKIAABCDEFGHIJKLMNOP")
            let all = try lines(api)
            #expect(all.count == 5)
            #expect(
                all.map { $0["created_at"]?.stringValue ?? "" }
                    == all.map { $0["created_at"]?.stringValue ?? "" }.sorted(by: >))
            #expect(all.count { $0["action"] == "shadow_flagged" } == 3)
            let summary = all.filter { $0["action"] == "event_emitted" }
            #expect(summary.map { $0["rule_id"] } == ["secret_leak_summary", "secret_leak_summary"])
            #expect(summary.map { $0["details"]?["match_count"] } == [2, 1])
            for line in all {
                #expect(
                    line.objectValue?.keys == [
                        "redaction_log_id", "workspace_id", "event_id", "event_type", "stream_type", "stream_id",
                        "rule_id", "match_preview", "detector_version", "action", "details", "created_at",
                    ])
                #expect(line["event_type"] == "approval.requested")
                let event = try api.operator.get("/v1/events/\(line["event_id"]?.stringValue ?? "")")["event"]
                #expect(event?["contains_secrets"] == true && event?["stream_id"] == line["stream_id"])
            }
            #expect(all.contains { $0["match_preview"]?.stringValue?.hasPrefix("ghp_") == true })
            #expect(!all.contains { "\($0)".contains(Self.token) })
            // By each of its filters.
            let last = all[4]["event_id"]?.stringValue ?? ""
            #expect(try lines(api, "event_id=\(last)") == all.filter { $0["event_id"] == .string(last) })
            #expect(try lines(api, "action=event_emitted") == summary)
            #expect(try lines(api, "rule_id=github_pat").count == 2)
            #expect(try lines(api, "stream_type=room").count == 2)
            #expect(try lines(api, "stream_type=room&stream_id=\(room)&action=shadow_flagged").count == 1)
            #expect(try lines(api, "stream_id=ws_dev").count == 3)
            #expect(try lines(api, "event_id=nothing").isEmpty)
            // Page by page the same.
            var (seen, cursor) = ([JSONValue](), "")
            repeat {
                let page = try api.operator.get(
                    "/v1/audit/redactions?limit=2\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
                seen += page["redactions"]?.arrayValue ?? []
                cursor = page["next_cursor"]?.stringValue ?? ""
            } while !cursor.isEmpty
            #expect(seen == all)
        }
    }

    @Test("is the workspace's own")
    func workspaces() throws {
        try withAPI { api in
            try leak(api, Self.token, in: "ws_a")
            #expect(try lines(api, in: "ws_a").count == 2)
            #expect(try lines(api).isEmpty)
            let theirs = try lines(api, in: "ws_a")[0]["event_id"]?.stringValue ?? ""
            #expect(try lines(api, "event_id=\(theirs)").isEmpty)
        }
    }

    @Test(
        "refuses words it does not know",
        arguments: [
            ("action=deleted", "invalid_action"), ("stream_type=galaxy", "invalid_stream_type"),
            ("limit=x", "invalid_limit"), ("cursor=x", "invalid_cursor"),
        ])
    func refused(_ query: String, _ code: String) throws {
        try withAPI { api in
            let answer = try api.operator.get("/v1/audit/redactions?\(query)")
            #expect((answer.status, answer.code) == (400, code))
            let engine = try api.engine("e").get("/v1/audit/redactions")
            #expect((engine.status, engine.code) == (403, "operator_required"))
        }
    }
}
