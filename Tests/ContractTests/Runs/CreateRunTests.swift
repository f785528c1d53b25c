import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("POST /v1/runs")
struct CreateRunTests {
    @Test("queues the run, and it can be read at once", arguments: Transports.allCases)
    func created(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let answer = try api.operator.post(
                "/v1/runs",
                [
                    "room_id": .string(room.rawValue), "title": "Count", "goal": "know", "tags": ["a", "b"],
                    "input": ["plan": Plans.shell, "more": 7],
                ])
            #expect((answer.status, answer[text: "status"]) == (201, "queued"))
            let seq = answer.response.fields[.xCommitSeq]
            let run = try api.operator.get("/v1/runs/\(answer[text: "run_id"])")
            #expect(run["run"]?["status"] == "queued")
            #expect(run["run"]?["input"]?["more"] == 7)
            #expect(run["run"]?["tags"] == ["a", "b"])
            #expect(run["run"]?["claim_token"] == .null)
            let events = try api.events(RunID(answer[text: "run_id"]))
            #expect(events.map(\.eventType) == ["run.created"])
            #expect(events.last.map { String($0.globalSeq) } == seq)
        }
    }

    @Test(
        "says what is wrong with a plan, each fault with its pointer, and stores nothing",
        arguments: [
            (["version": 2, "steps": []], ["/plan/version", "/plan/steps"]),
            ("nope", ["/plan"]),
            (["version": 1, "steps": [["id": "A", "tool": "shell", "with": ["argv": ["a"]]]]], ["/plan/steps/0/id"]),
            (["version": 1, "steps": [["id": "a", "tool": "teleport", "with": [:]]]], ["/plan/steps/0/tool"]),
            (["version": 1, "steps": [["id": "a", "tool": "shell", "with": [:]]]], ["/plan/steps/0/with"]),
            (
                ["version": 1, "steps": [["id": "a", "tool": "shell", "with": ["argv": "ls"]]]],
                ["/plan/steps/0/with/argv"]
            ),
            (
                ["version": 1, "steps": [["id": "a", "tool": "shell", "with": ["argv": ["a"]], "needs": ["b"]]]],
                ["/plan/steps/0/needs/0"]
            ),
            (
                [
                    "version": 1,
                    "steps": [
                        ["id": "a", "tool": "shell", "with": ["argv": ["a"]], "needs": ["b"]],
                        ["id": "b", "tool": "shell", "with": ["argv": ["a"]], "needs": ["a"]],
                        ["id": "b", "tool": "file.read", "with": ["path": "/etc/passwd"]],
                    ],
                ], ["/plan/steps/2/id", "/plan/steps/2/with/path"]
            ),
            (
                [
                    "version": 1,
                    "steps": [
                        [
                            "id": "a", "tool": "http", "with": ["method": "POST", "url": "https://a.example/"],
                            "effect": "none",
                        ]
                    ],
                ],
                ["/plan/steps/0/effect"]
            ),
            (
                ["version": 1, "steps": [["id": "a", "tool": "shell", "with": ["argv": ["${{ nope.x }}"]]]]],
                ["/plan/steps/0/with/argv/0"]
            ),
            (
                ["version": 1, "nope": 1, "steps": [["id": "a", "tool": "shell", "with": ["argv": ["a"]]]]],
                ["/plan/nope"]
            ),
        ] as [(JSONValue, [String])])
    func planFaults(_ plan: JSONValue, _ pointers: [String]) throws {
        try withAPI { api in
            let room = try api.room()
            let before = try api.lastGlobalSeq()
            let answer = try api.operator.post(
                "/v1/runs", ["room_id": .string(room.rawValue), "input": ["plan": plan]])
            #expect((answer.status, answer.code) == (400, "plan_invalid"))
            expectProblem(answer)
            let found = (answer["details"]?["faults"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue }
            for pointer in pointers { #expect(found.contains(pointer), "\(found)") }
            for fault in answer["details"]?["faults"]?.arrayValue ?? [] {
                #expect(fault["detail"]?.stringValue?.isEmpty == false)
            }
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.get("/v1/runs")["runs"] == [])
        }
    }

    @Test(
        "refuses a secret in a plan by its pointer, and does not repeat it",
        arguments: [
            "sk-proj-abcdefghijklmnopqrstuvwx", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "AKIAIOSFODNN7EXAMPLE",
        ])
    func secret(_ secret: String) throws {
        try withAPI { api in
            let room = try api.room()
            let before = try api.lastGlobalSeq()
            let plan = Plans.step("shell", ["argv": ["deploy"], "env": ["KEY": .string(secret)]])
            let answer = try api.operator.post(
                "/v1/runs", ["room_id": .string(room.rawValue), "input": ["plan": plan]])
            #expect((answer.status, answer.code) == (400, "secret_in_plan"), "\(answer.text)")
            #expect(answer["details"]?["pointer"] == "/plan/steps/0/with/env/KEY")
            #expect(!answer.text.contains(secret))
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test(
        "refuses what is not there or too much",
        arguments: [
            (["title": "a"], 400, "missing_room_id"), (["room_id": " "], 400, "missing_room_id"),
            (["room_id": "room_nothing"], 404, "room_not_found"),
            (["room_id": "ROOM", "thread_id": "th_nothing"], 404, "thread_not_found"),
            (["room_id": "ROOM", "input": []], 400, "invalid_field"),
            (["room_id": "ROOM", "title": .string(String(repeating: "a", count: 501))], 400, "invalid_field"),
            (["room_id": "ROOM", "tags": .array((0..<51).map { .string("\($0)") })], 400, "invalid_field"),
        ] as [(JSONObject, Int, String)])
    func refused(_ body: JSONObject, _ status: Int, _ code: String) throws {
        try withAPI { api in
            let room = try api.room()
            let before = try api.lastGlobalSeq()
            var body = body
            if body["room_id"] == "ROOM" { body["room_id"] = .string(room.rawValue) }
            let answer = try api.operator.post("/v1/runs", .object(body))
            #expect((answer.status, answer.code) == (status, code))
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("is listed page by page, each run once, newest change first", arguments: Transports.allCases)
    func pages(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let rooms = [try api.room("one"), try api.room("two")]
            var made: [String] = []
            for number in 0..<23 {
                // Several at the same millisecond: the cursor has to tell them apart.
                if number % 4 == 0 { api.clock.advance(1) }
                made.append(try api.run(in: rooms[number % 2]).rawValue)
            }
            for (query, expected) in [
                ("", made), ("&room_id=\(rooms[0])", stride(from: 0, to: 23, by: 2).map { made[$0] }),
                ("&status=running", []),
            ] {
                var (seen, cursor, pages) = ([String](), "", 0)
                repeat {
                    let page = try api.operator.get(
                        "/v1/runs?limit=5\(query)\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
                    let runs = page["runs"]?.arrayValue ?? []
                    let times = runs.compactMap { $0["updated_at"]?.stringValue }
                    #expect(times == times.sorted(by: >))
                    seen += runs.compactMap { $0["run_id"]?.stringValue }
                    cursor = page["next_cursor"]?.stringValue ?? ""
                    pages += 1
                } while !cursor.isEmpty && pages < 20
                #expect(seen.count == expected.count)
                #expect(Set(seen) == Set(expected))
            }
            #expect(try api.operator.get("/v1/runs?status=asleep").code == "invalid_status")
        }
    }
}
