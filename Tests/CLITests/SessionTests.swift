import APIClient
import CLI
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Testing

@Suite("Ids")
struct LookupTests {
    private static let ids = ["run_01AAA111XYZ1", "run_01AAA222XYZ2", "run_01BBB333XYZ3"]

    @Test(
        "are found by enough of them",
        arguments: [
            ("run_01BBB333XYZ3", ["run_01BBB333XYZ3"]), ("run_01B", ["run_01BBB333XYZ3"]),
            ("01b", ["run_01BBB333XYZ3"]),
            ("01AAA", ["run_01AAA111XYZ1", "run_01AAA222XYZ2"]), ("xyz2", ["run_01AAA222XYZ2"]), ("YZ2", []),
            ("zz", []),
        ])
    func matches(text: String, expected: [String]) {
        #expect(Lookup.matches(text, among: Self.ids, prefix: "run_") == expected)
    }

    private static let runs: [RunID] = ["run_01AAAAAAAAAAAAAAAAAAAAAAAA", "run_01ABBBBBBBBBBBBBBBBBBBBBBB"]

    private func api() -> FakeAPI {
        FakeAPI { line, _ in
            switch line {
            case "GET /v1/runs?limit=200":
                .json(200, ["runs": [Samples.json(Samples.run(Self.runs[0], title: "first"))], "next_cursor": "p2"])
            case "GET /v1/runs?limit=200&cursor=p2":
                .json(200, ["runs": [Samples.json(Samples.run(Self.runs[1], title: "second"))], "next_cursor": nil])
            case "GET /v1/runs/\(Self.runs[1])": .json(200, ["run": Samples.json(Samples.run(Self.runs[1]))])
            default: .json(404, Samples.problem(404, .runNotFound, "no such run"))
            }
        }
    }

    @Test("are looked up over all pages")
    func pages() {
        let (exit, said) = aos(["run", "show", "01abb", "--json"], api())
        #expect(exit == .ok)
        #expect(said.output.contains("01ABBBBBBBBBBBBBBBBBBBBBBB"))
    }

    @Test("that are whole are not looked up")
    func whole() {
        let api = api()
        _ = aos(["run", "show", Self.runs[1].rawValue, "--json"], api)
        #expect(api.lines == ["GET /v1/runs/\(Self.runs[1])"])
    }

    @Test("that could mean several things list them and exit 2")
    func ambiguous() {
        let (exit, said) = aos(["run", "show", "01A"], api())
        #expect(exit == .usage)
        for part in ["run_01AAAAAAAAAAAAAAAAAAAAAAAA", "first", "run_01ABBBBBBBBBBBBBBBBBBBBBBB", "second"] {
            #expect(said.error.contains(part))
        }
    }

    @Test("that nothing has exit 1")
    func nothing() {
        let (exit, said) = aos(["run", "cancel", "qq"], api())
        #expect(exit == .failed)
        #expect(said.error.contains("no run has an id like 'qq'"))
    }
}

@Suite("Errors")
struct FailureTests {
    @Test(
        "have the exit code of their kind, the reason code and the request id",
        arguments: [
            (401, ReasonCode.invalidSession, ExitCode.authentication), (403, .killSwitchActive, .denied),
            (404, .runNotFound, .failed), (409, .runAlreadyEnded, .failed), (500, .internalError, .failed),
            (503, .storageUnavailable, .failed),
        ])
    func refusals(status: Int, code: ReasonCode, exit: ExitCode) {
        let api = FakeAPI { _, _ in .json(status, Samples.problem(status, code, "because")) }
        let (found, said) = aos(["run", "cancel", Samples.runID.rawValue], api)
        #expect(found == exit)
        #expect(said.output.isEmpty)
        #expect(said.error.contains("aos run cancel: because (\(code.rawValue))"))
        #expect(said.error.contains("request: req_7"))
    }

    @Test("without an api say how to start it")
    func unreachable() {
        let (exit, said) = aos(["status"])
        #expect(exit == .failed)
        #expect(said.error.contains("try: aos up"))
    }

    @Test("of settings exit 78 before anything is asked")
    func settings() {
        let api = FakeAPI { _, _ in .failure(.cancelled) }
        let (exit, said) = aos(["status"], api, environment: ["AOS_TOKN": "x"])
        #expect(exit == .configuration)
        #expect(said.error.contains("AOS_TOKEN"))
        #expect(api.asked.isEmpty)
    }

    @Test("from the api are cleaned like all text of others")
    func hostile() {
        let api = FakeAPI { _, _ in .json(404, Samples.problem(404, .runNotFound, "no \u{1B}[31mrun\u{202E}")) }
        let (_, said) = aos(["run", "cancel", Samples.runID.rawValue], api)
        #expect(said.error.contains("no run\u{FFFD}"))
    }

    @Test("of a plan are one line each, with their place")
    func planFaults() throws {
        let plan = "/tmp/aos-cli-test-\(SystemEntropy().integer(in: 0...Int64.max / 2)).json"
        try Files.writeAtomically(Array(#"{"version": 1, "steps": []}"#.utf8), to: plan)
        defer { try? Files.remove(plan) }
        let api = FakeAPI { _, _ in
            .json(
                400,
                [
                    "type": "/problems/plan_invalid", "title": "Plan invalid", "status": 400, "detail": "x",
                    "instance": "/requests/req_7", "error": "plan_invalid", "reason_code": "plan_invalid",
                    "reason": "x",
                    "details": [
                        "faults": [
                            ["pointer": "/plan/steps/0/tool", "detail": "expected a tool"],
                            ["pointer": "/plan/steps/1/id", "detail": "expected each id once"],
                        ], "omitted": 3,
                    ],
                ])
        }
        let (exit, said) = aos(["run", "submit", plan, "--room", Samples.roomID.rawValue], api)
        #expect(exit == .failed)
        #expect(said.output.isEmpty)
        #expect(said.error.contains("the plan has 5 faults"))
        #expect(
            said.error.contains(
                "\n  /plan/steps/0/tool: expected a tool\n  /plan/steps/1/id: expected each id once\n  and 3 more\n"))
        #expect(api.asked[0].body.contains(#""input":{"plan":{"version":1,"steps":[]}}"#))
    }

    @Test(
        "of a file name the file and the place",
        arguments: [
            ("{\n  \"steps\": [,]}", ":2:13: "), ("[1]", "expected an object"),
            (#"{"titel": "x", "input": {}}"#, "did you mean 'title'?"),
            (#"{"title": "x"}"#, "expected a plan"),
        ])
    func badFiles(text: String, part: String) throws {
        let plan = "/tmp/aos-cli-test-\(SystemEntropy().integer(in: 0...Int64.max / 2)).json"
        try Files.writeAtomically(Array(text.utf8), to: plan)
        defer { try? Files.remove(plan) }
        let (exit, said) = aos(["run", "submit", plan])
        #expect(exit == .failed)
        #expect(said.error.contains(part))
    }
}

@Suite("Answers")
struct AnswerTests {
    private static let run = Samples.run(Samples.runID, .waiting)

    private func api(_ runs: [Run]) -> FakeAPI {
        FakeAPI { _, _ in .json(200, ["runs": .array(runs.map(Samples.json)), "next_cursor": nil]) }
    }

    @Test("--json in a pipe is the api's own, byte for byte, on one line")
    func compact() {
        let (_, said) = aos(["run", "list", "--json"], api([Self.run]))
        let expected: JSONValue = ["runs": [Samples.json(Self.run)], "next_cursor": nil]
        #expect(said.output == String(decoding: expected.jsonBytes, as: UTF8.self) + "\n")
    }

    @Test("--json on a terminal is indented and harmless")
    func pretty() {
        let (_, said) = aos(["run", "list", "--json"], api([Samples.run(title: "a\u{202E}b")]), screen: .plainTerminal)
        #expect(said.output.hasPrefix("{\n  \"runs\": [\n"))
        #expect(said.output.contains("a\\u202eb"))
    }

    @Test("in a pipe are rows without a head line")
    func rows() {
        let (exit, said) = aos(["run", "list"], api([Self.run]))
        #expect(exit == .ok)
        #expect(said.outputLines.count == 1)
        #expect(said.outputLines[0].hasPrefix("\(Samples.runID)\twaiting\tsite check\t"))
        #expect(said.error.isEmpty)
    }

    @Test("that are empty are silent in a pipe, and say what to do on a terminal")
    func empty() {
        #expect(aos(["run", "list"], api([])).said.error.isEmpty)
        #expect(aos(["run", "list"], api([]), screen: .plainTerminal).said.error.contains("aos run submit"))
    }

    @Test("a decision reaches the api with its reason")
    func approve() {
        let api = FakeAPI { _, _ in .json(200, ["ok": true]) }
        let id = "appr_01DDDDDDDDDDDDDDDDDDDDDDDD"
        let (exit, said) = aos(["approve", id, "-m", "checked"], api)
        #expect(exit == .ok)
        #expect(said.output == "\(id)\tapproved\n")
        #expect(api.asked[0].line == "POST /v1/approvals/\(id)/decide")
        #expect(api.asked[0].body == #"{"decision":"approve","reason":"checked"}"#)
    }

    @Test("a history that does not hold exits 1 and names stream and number")
    func verify() throws {
        let fault = ChainFault(
            streamType: .room, streamID: "room_1", streamSeq: 5, kind: .payloadDigestMismatch, detail: "changed")
        let found = try JSON.value(
            of: LogVerification(
                valid: false, events: 9, streams: 2, erased: 0, headGlobalSeq: 9, faults: [fault],
                headFile: .init(path: "heads", lines: 1, globalSeq: 12, consistent: false, detail: "it knows more")))
        let api = FakeAPI { line, _ in
            line == "GET /health"
                ? .json(
                    200,
                    [
                        "ok": true, "version": "1", "enforcement_mode": "enforce", "kill_switch": false,
                        "draining": false,
                    ])
                : .json(200, found)
        }
        let (exit, said) = aos(["verify"], api)
        #expect(exit == .failed)
        #expect(said.outputLines.count == 2)
        #expect(said.outputLines[0].hasPrefix("room/room_1\t5\tpayload_digest_mismatch\t"))
        #expect(said.outputLines[1].contains("it knows more"))
    }

    @Test("the last events are found without reading the whole log")
    func tail() {
        let events = (1...5000).map { Int64($0) }
        let api = FakeAPI { line, _ in
            let query = Dictionary(
                line.split(separator: "?")[1].split(separator: "&").map { pair in
                    let parts = pair.split(separator: "=")
                    return (String(parts[0]), Int64(parts[1]) ?? 0)
                }
            ) { $1 }
            let page = events.drop { $0 <= query["cursor"]! - 100 }.prefix(Int(query["limit"]!))
            return .json(
                200,
                [
                    "events": .array(
                        page.map {
                            try! JSON.value(of: Samples.event($0, RunCancelled(runID: Samples.runID)), nulls: .write)
                        }),
                    "next_cursor": nil,
                ])
        }
        let (exit, said) = aos(["events", "--limit", "3"], api)
        #expect(exit == .ok)
        #expect(said.outputLines.map { $0.prefix(4) } == ["5098", "5099", "5100"])
        #expect(api.asked.count < 40)
    }
}
