import APIClient
import Crypto
import JSON
import Shared
import TestSupport
import Testing

@Suite("A scorecard")
struct ScorecardTests {
    private let body: JSONObject = [
        "template_key": "quality", "template_version": "2",
        "metrics": [["key": "speed", "value": 0.5], ["key": "accuracy", "value": 1, "weight": 3]],
    ]

    private func record(_ api: TestAPI, _ more: JSONObject = [:]) throws -> Answered {
        var body = body
        for (key, value) in more { body[key] = value }
        return try api.operator.post("/v1/scorecards", .object(body))
    }

    /// A run that has succeeded, and its evidence.
    private func succeeded(_ api: TestAPI, _ room: RoomID) throws -> (run: String, evidence: String) {
        let run = try api.operator.post("/v1/runs", ["room_id": .string(room.rawValue)])[text: "run_id"]
        #expect(try api.operator.post("/v1/runs/\(run)/complete").status == 200)
        let evidence = try api.operator.get("/v1/runs/\(run)/evidence")["evidence"]?["evidence_id"]?.stringValue
        return (run, evidence ?? "")
    }

    @Test("is recorded with its score, and can be read", arguments: Transports.allCases)
    func recorded(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let answer = try record(
                api, ["agent_id": "ana", "principal_id": "p-1", "rationale": "good", "metadata": ["a": 1]])
            #expect(answer.status == 201)
            let id = answer[text: "scorecard_id"]
            #expect(id.hasPrefix("scd_"))
            let card = try api.operator.get("/v1/scorecards/\(id)")["scorecard"]
            #expect((card?["score"], card?["decision"]) == (0.875, "pass"))
            #expect(
                card?["metrics"] == [
                    ["key": "accuracy", "value": 1, "weight": 3], ["key": "speed", "value": 0.5, "weight": 1],
                ])
            let canonical = #"[{"key":"accuracy","value":1,"weight":3},{"key":"speed","value":0.5,"weight":1}]"#
            #expect(card?["metrics_hash"] == .string(SHA256.text(Array(canonical.utf8))))
            #expect((card?["agent_id"], card?["principal_id"], card?["run_id"]) == ("ana", "p-1", .null))
            #expect((card?["template_key"], card?["template_version"]) == ("quality", "2"))
            #expect((card?["rationale"], card?["metadata"]) == ("good", ["a": 1]))
            let events = try api.operator.get("/v1/events?event_type=scorecard.recorded")["events"]
            #expect(events?[0]?["data"]?["metrics_hash"] == card?["metrics_hash"])
            #expect(events?[0]?["stream_type"] == "workspace")
            let nowhere = try api.operator.get("/v1/scorecards/scd_nothing")
            #expect((nowhere.status, nowhere.code) == (404, "scorecard_not_found"))
        }
    }

    @Test(
        "is refused with the code of what is wrong, and leaves nothing",
        arguments: [
            (["template_key": nil], 400, "missing_template_key"),
            (["template_version": " "], 400, "missing_template_version"), (["metrics": nil], 400, "invalid_metrics"),
            (["metrics": []], 400, "invalid_metrics"), (["metrics": "x"], 400, "invalid_metrics"),
            (["metrics": [["key": "a", "value": "1"]]], 400, "invalid_metrics"),
            (["metrics": [["key": "a", "value": 1], ["key": "a", "value": 1]]], 400, "invalid_metrics"),
            (["metrics": [["key": "a", "value": 1, "weight": 0]]], 400, "invalid_metrics"),
            (["requires_evidence": true], 400, "missing_evidence_for_template"),
            (["requires_evidence": "yes"], 400, "invalid_field"), (["metadata": []], 400, "invalid_field"),
            (["agent_id": .string(String(repeating: "a", count: 201))], 400, "invalid_field"),
            (["experiment_id": "exp_nothing"], 404, "experiment_not_found"),
            (["run_id": "run_nothing"], 404, "run_not_found"),
            (["evidence_id": "evd_nothing"], 404, "evidence_not_found"),
            (["actor_type": "agent"], 403, "actor_claim_mismatch"),
        ] as [(JSONObject, Int, String)])
    func refused(_ change: JSONObject, _ status: Int, _ code: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            let answer = try record(api, change)
            #expect((answer.status, answer.code) == (status, code), "\(answer.text)")
            expectProblem(answer)
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.get("/v1/scorecards")["scorecards"] == [])
        }
    }

    @Test("stands on evidence of the run that it judges")
    func evidence() throws {
        try withAPI { api in
            let room = try api.room()
            let (one, two) = (try succeeded(api, room), try succeeded(api, room))
            let both = try record(
                api,
                ["run_id": .string(one.run), "evidence_id": .string(one.evidence), "requires_evidence": true])
            #expect(both.status == 201, "\(both.text)")
            let mixed = try record(api, ["run_id": .string(one.run), "evidence_id": .string(two.evidence)])
            #expect((mixed.status, mixed.code) == (400, "evidence_run_mismatch"))
            // Evidence alone says which run it is.
            let alone = try record(api, ["evidence_id": .string(two.evidence)])[text: "scorecard_id"]
            #expect(try api.operator.get("/v1/scorecards/\(alone)")["scorecard"]?["run_id"] == .string(two.run))
            let why: JSONValue = ["justification": "read by a person"]
            #expect(try record(api, ["requires_evidence": true, "metadata": why]).status == 201)
        }
    }

    @Test("is listed newest first, by what it judges, page by page")
    func lists() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            var made: [String] = []
            for number in 0..<7 {
                if number % 3 == 0 { api.clock.advance(1) }
                let more: JSONObject = number % 2 == 0 ? ["run_id": .string(run.rawValue)] : ["agent_id": "ana"]
                made.append(try record(api, more)[text: "scorecard_id"])
            }
            func ids(_ page: Answered) -> [String] {
                (page["scorecards"]?.arrayValue ?? []).compactMap { $0["scorecard_id"]?.stringValue }
            }
            let even = Set([0, 2, 4, 6].map { made[$0] })
            #expect(try Set(ids(api.operator.get("/v1/scorecards?run_id=\(run)"))) == even)
            #expect(try Set(ids(api.operator.get("/v1/scorecards?agent_id=ana"))) == Set(made).subtracting(even))
            #expect(try ids(api.operator.get("/v1/scorecards?experiment_id=exp_x")) == [])
            var (seen, cursor) = ([String](), "")
            repeat {
                let page = try api.operator.get("/v1/scorecards?limit=2\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
                seen += ids(page)
                cursor = page["next_cursor"]?.stringValue ?? ""
            } while !cursor.isEmpty
            #expect(seen.count == 7 && Set(seen) == Set(made) && seen.first == made[6])
        }
    }
}
