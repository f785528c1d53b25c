import APIClient
import JSON
import Shared
import TestSupport
import Testing

@Suite("A lesson")
struct LessonTests {
    @Test("is kept with what it was learned from", arguments: Transports.allCases)
    func kept(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let incident = try api.operator.post("/v1/incidents", ["title": "It broke"])[text: "incident_id"]
            let card = try api.operator.post(
                "/v1/scorecards",
                ["template_key": "k", "template_version": "1", "metrics": [["key": "a", "value": 1]]])[
                    text: "scorecard_id"]
            let experiment = try api.operator.post(
                "/v1/experiments",
                ["title": "t", "hypothesis": "h", "budget_cap_units": 0, "risk_tier": "low"])[text: "experiment_id"]
            let context: [(String, String)] = [
                ("run_id", run.rawValue), ("incident_id", incident), ("scorecard_id", card),
                ("experiment_id", experiment),
            ]
            var made: [String] = []
            for (name, id) in context {
                api.clock.advance(1)
                let answer = try api.operator.post(
                    "/v1/lessons",
                    [
                        name: .string(id), "category": "prompting", "summary": " Ask for the source ",
                        "action_items": ["Change the template", " "], "tags": ["prompts"], "metadata": ["a": 1],
                    ])
                #expect(answer.status == 201, "\(answer.text)")
                made.append(answer[text: "lesson_id"])
                let lesson = try api.operator.get("/v1/lessons/\(made.last!)")["lesson"]
                #expect((lesson?[name], lesson?["summary"]) == (.string(id), "Ask for the source"))
                #expect((lesson?["action_items"], lesson?["tags"]) == (["Change the template"], ["prompts"]))
                let listed = try api.operator.get("/v1/lessons?\(name)=\(id)")["lessons"]?.arrayValue
                #expect(listed == [lesson ?? .null])
            }
            func ids(_ page: Answered) -> [String] {
                (page["lessons"]?.arrayValue ?? []).compactMap { $0["lesson_id"]?.stringValue }
            }
            let page = try api.operator.get("/v1/lessons?limit=3")
            let rest = try api.operator.get("/v1/lessons?limit=3&cursor=\(page[text: "next_cursor"])")
            #expect(ids(page) == [made[3], made[2], made[1]])
            #expect(ids(rest) == [made[0]])
            #expect(rest["next_cursor"] == .null)
            let nowhere = try api.operator.get("/v1/lessons/les_nothing")
            #expect((nowhere.status, nowhere.code) == (404, "lesson_not_found"))
        }
    }

    @Test(
        "is refused with the code of what is wrong, and leaves nothing",
        arguments: [
            (["category": nil], 400, "missing_category"), (["summary": " "], 400, "missing_summary"),
            (["run_id": nil], 400, "lesson_context_required"), (["run_id": "run_nothing"], 404, "run_not_found"),
            (["experiment_id": "exp_nothing"], 404, "experiment_not_found"),
            (["scorecard_id": "scd_nothing"], 404, "scorecard_not_found"),
            (["incident_id": "inc_nothing"], 404, "incident_not_found"), (["tags": "x"], 400, "invalid_field"),
            (["action_items": [1]], 400, "invalid_field"),
            (["tags": .array((0..<51).map { .string("\($0)") })], 400, "invalid_field"),
            (["actor_id": "ana"], 403, "actor_claim_mismatch"),
        ] as [(JSONObject, Int, String)])
    func refused(_ change: JSONObject, _ status: Int, _ code: String) throws {
        try withAPI { api in
            var body: JSONObject = ["category": "c", "summary": "s"]
            body["run_id"] = .string(try api.run(in: api.room()).rawValue)
            for (key, value) in change { body[key] = value }
            let before = try api.lastGlobalSeq()
            let answer = try api.operator.post("/v1/lessons", .object(body))
            #expect((answer.status, answer.code) == (status, code), "\(answer.text)")
            expectProblem(answer)
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.get("/v1/lessons")["lessons"] == [])
        }
    }
}
