import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("POST /v1/plans/check")
struct PlanCheckTests {
    private static let plan: JSONValue = [
        "version": 1,
        "steps": [
            ["id": "count", "tool": "shell", "title": "Count", "with": ["argv": ["wc", "-l", "a"]]],
            [
                "id": "send", "tool": "http", "needs": ["count"],
                "with": [
                    "method": "POST", "url": "https://example.com/", "text": "${{ steps.count.output.stdout }}",
                    "headers": ["authorization": "${{ secrets.TOKEN }}"],
                ],
            ],
            ["id": "undo", "tool": "shell", "needs": ["send"], "when": "failure", "with": ["script": "rm -f a"]],
        ],
    ]

    @Test("says of each step what it would do and what the gate would say, and records nothing")
    func verdicts() throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            let answer = try api.operator.post("/v1/plans/check", ["plan": Self.plan])
            #expect(answer.status == 200)
            let steps = answer["steps"]?.arrayValue ?? []
            #expect(steps.map { $0["decision"]?.stringValue } == ["allow", "require_approval", "allow"])
            #expect(steps.map { $0["action"]?.stringValue } == ["shell.exec", "external.write", "shell.exec"])
            #expect(steps.map { $0["effect"]?.stringValue } == ["once", "once", "once"])
            #expect(steps.map { $0["needs"] } == [[], ["count"], ["send"]])
            #expect(steps.map { $0["when"]?.stringValue } == ["success", "success", "failure"])
            #expect(answer["secret_names"] == ["TOKEN"])
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            let halted = try api.operator.post("/v1/plans/check", ["plan": Self.plan])
            #expect(halted["steps"]?.arrayValue?[1]["reason_code"] == "kill_switch_active")
            #expect(try api.lastGlobalSeq() == before + 1)
        }
    }

    @Test("refuses a wrong plan exactly as a run with it would be")
    func refusals() throws {
        try withAPI { api in
            let room = try api.room()
            let wrong: [JSONValue] = [
                [:], ["version": 1, "steps": []], "text", ["version": 1, "steps": [["id": "a", "tool": "magic"]]],
                [
                    "version": 1,
                    "steps": [
                        [
                            "id": "a", "tool": "shell",
                            "with": ["script": "echo ghp_abcdefghijklmnopqrstuvwxyz0123456789"],
                        ]
                    ],
                ],
            ]
            for plan in wrong {
                let check = try api.operator.post("/v1/plans/check", ["plan": plan])
                let run = try api.operator.post(
                    "/v1/runs", ["room_id": .string(room.rawValue), "input": ["plan": plan]])
                #expect((check.status, check.code) == (400, run.code))
                #expect(check["detail"] == run["detail"])
                #expect(check["faults"] == run["faults"])
            }
            #expect(try api.operator.post("/v1/plans/check", [:]).code == "missing_field")
            let elsewhere = try api.operator.post("/v1/plans/check", ["plan": Self.plan, "room_id": "room_x"])
            #expect(elsewhere.code == "room_not_found")
        }
    }
}
