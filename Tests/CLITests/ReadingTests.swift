import CLI
import JSON
import Shared
import Testing

@Suite("--json with names")
struct FieldSelectionTests {
    private static let runs = [
        Samples.run("run_01AAAAAAAAAAAAAAAAAAAAAAAA", .waiting, title: "first"),
        Samples.run("run_01ABBBBBBBBBBBBBBBBBBBBBBB", title: nil),
    ]

    private func api() -> FakeAPI {
        FakeAPI { line, _ in
            switch line {
            case "GET /v1/runs?limit=30":
                var waiting = Self.runs[0]
                waiting.waits = [Wait(.approval, planStepID: "send"), Wait(.timer)]
                return .json(200, ["runs": [Samples.json(waiting)], "next_cursor": "p2"])
            case "GET /v1/runs?limit=30&cursor=p2":
                return .json(200, ["runs": [Samples.json(Self.runs[1])], "next_cursor": nil])
            case "GET /v1/runs/\(Self.runs[0].runID)": return .json(200, ["run": Samples.json(Self.runs[0])])
            default: return .json(404, Samples.problem(404, .runNotFound, line))
            }
        }
    }

    @Test("gives these members of each thing, over all pages")
    func list() {
        let (exit, said) = aos(["run", "list", "--json", "run_id,title,waits.kind"], api())
        #expect(exit == .ok)
        #expect(
            said.output
                == #"[{"run_id":"run_01AAAAAAAAAAAAAAAAAAAAAAAA","title":"first","waits.kind":["approval","timer"]},"#
                + #"{"run_id":"run_01ABBBBBBBBBBBBBBBBBBBBBBB","title":null,"waits.kind":[]}]"# + "\n")
    }

    @Test(
        "may stand anywhere, and takes no word that the command needs itself",
        arguments: [
            ["run", "view", "--json", "status", "01AAAAAAAAAAAAAAAAAAAAAAAA"],
            ["run", "view", "01AAAAAAAAAAAAAAAAAAAAAAAA", "--json", "status"],
            ["--json=status", "run", "view", "run_01AAAAAAAAAAAAAAAAAAAAAAAA"],
        ])
    func places(words: [String]) {
        let api = FakeAPI { line, _ in
            line.contains("limit=")
                ? .json(200, ["runs": .array(Self.runs.map(Samples.json)), "next_cursor": nil])
                : .json(200, ["run": Samples.json(Self.runs[0])])
        }
        #expect(aos(words, api).said.output == #"{"status":"waiting"}"# + "\n")
    }

    @Test("alone is the api's own answer, and leaves the id its place")
    func alone() {
        let (_, said) = aos(["run", "view", "--json", Self.runs[0].runID.rawValue], api())
        #expect(said.output.hasPrefix(#"{"run":{"run_id":"#))
    }

    @Test("that are none list those that are, exit 2, before anything is asked")
    func unknown() {
        let api = api()
        let (exit, said) = aos(["run", "list", "--json", "run_id,stauts"], api)
        #expect(exit == .usage)
        #expect(said.output.isEmpty && api.asked.isEmpty)
        #expect(said.error.contains("no 'stauts'") && said.error.contains("run_id, workspace_id, room_id"))
        #expect(said.error.contains("try: --json status"))
    }

    @Test("go into what is free in form, and into lists; a member of something else is none")
    func paths() throws {
        let answer: JSONValue = ["run": ["input": ["a": ["b": 7]], "tags": ["x"]]]
        #expect(try FieldSelection(["input.a.b"], of: RunAnswer.self).pick(from: answer) == ["input.a.b": 7])
        for name in ["tags.x", "status.x", "", "run_id.", "waits.kinds"] {
            #expect(throws: Failure.self) { try FieldSelection([name], of: RunAnswer.self) }
        }
    }

    @Test("are those of the thing, and of what is beside it in the answer")
    func beside() throws {
        let answer: JSONValue = ["incident": ["title": "t"], "learning": [["note": "n"]]]
        let selection = try FieldSelection(["title", "learning.note"], of: IncidentAnswer.self)
        #expect(selection.pick(from: answer) == ["title": "t", "learning.note": ["n"]])
        // Here the first member is no thing.
        let killed: JSONValue = ["engaged": true, "kill_switch": ["reason": "r"], "unconfirmed": []]
        #expect(
            try FieldSelection(["engaged", "kill_switch.reason"], of: KillSwitchAnswer.self).pick(from: killed)
                == ["engaged": true, "kill_switch.reason": "r"])
    }

    @Test("cut every event of a stream of lines down")
    func events() throws {
        let event = Samples.event(1, RunCompleted(runID: Samples.runID))
        let api = FakeAPI { line, _ in
            line.contains("cursor=0") || line.contains("cursor=100")
                ? .json(200, ["events": [try! JSON.value(of: event, nulls: .write)], "next_cursor": nil])
                : .json(200, ["events": [], "next_cursor": nil])
        }
        let (exit, said) = aos(["events", "--json", "event_type,data.run_id"], api)
        #expect(exit == .ok)
        #expect(said.output == #"{"event_type":"run.completed","data.run_id":"\#(Samples.runID)"}"# + "\n")
    }
}

@Suite("Any id")
struct AnyIDTests {
    private static let incident = "inc_01AAAAAAAAAAAAAAAAAAAAAAAA"

    private func api() -> FakeAPI {
        FakeAPI { line, _ in
            switch line {
            case "GET /v1/runs?limit=200":
                return .json(
                    200,
                    [
                        "runs": [Samples.json(Samples.run("run_01ABBBBBBBBBBBBBBBBBBBBBBB", title: "a run"))],
                        "next_cursor": nil,
                    ])
            case "GET /v1/incidents?limit=200":
                let incident = Incident(
                    incidentID: IncidentID(Self.incident), workspaceID: .development, title: "it broke",
                    by: .operatorUser, correlationID: "c", at: FixedClock.now)
                return .json(
                    200, ["incidents": [try! JSON.value(of: incident, nulls: .write)], "next_cursor": nil])
            case "GET /v1/incidents/\(Self.incident)":
                return .json(200, ["incident": ["incident_id": .string(Self.incident)], "learning": []])
            case "GET /v1/events?include_system=1&cursor=34&limit=1":
                return .json(
                    200,
                    [
                        "events": [
                            try! JSON.value(
                                of: Samples.event(35 - 100, RunCompleted(runID: Samples.runID)), nulls: .write)
                        ], "next_cursor": nil,
                    ])
            case "GET /v1/events/event--65": return .json(200, ["event": ["event_id": "event--65"]])
            case let line where line.hasPrefix("GET /v1/"):
                let name = line.split(separator: "/")[2].split(separator: "?")[0]
                let list = name == "toolcalls" ? "tool_calls" : String(name)
                return .json(200, [list: [], "next_cursor": nil].object)
            default: return .json(404, Samples.problem(404, .routeNotFound, line))
            }
        }
    }

    @Test("is found without saying what it is of")
    func kinds() {
        let (exit, said) = aos(["inspect", "01AAAA"], api())
        #expect(exit == .ok)
        #expect(said.output == #"{"incident":{"incident_id":"\#(Self.incident)"},"learning":[]}"# + "\n")
    }

    @Test("that could be several things lists them with their kinds and exits 2")
    func ambiguous() {
        let (exit, said) = aos(["inspect", "01A"], api())
        #expect(exit == .usage)
        #expect(said.error.contains("incident  open  it broke") && said.error.contains("run  running  a run"))
    }

    @Test("may be an event's number in the log")
    func number() {
        let (exit, said) = aos(["inspect", "35"], api())
        #expect(exit == .ok)
        #expect(said.output.contains("event--65"))
    }

    @Test("that nothing has exits 1")
    func nothing() { #expect(aos(["inspect", "zzzz"], api()).exit == .failed) }
}

extension Dictionary where Key == String, Value == JSONValue {
    /// As JSON, whatever the order.
    fileprivate var object: JSONValue { .object(JSONObject(map { ($0.key, $0.value) })) }
}

@Suite("aos why")
struct WhyTests {
    /// A chain of so many events, each the cause of the next, and two that followed from the last.
    private func api(_ length: Int64, failed: EventRow? = nil) -> FakeAPI {
        @Sendable func row(_ number: Int64) -> EventRow {
            var row = Samples.event(
                number,
                number == 1
                    ? RunCreated(runID: Samples.runID) : RunStarted(runID: Samples.runID))
            row.causationID = number == 1 ? nil : EventID("event-\(min(number - 1, length))")
            return row
        }
        return FakeAPI { line, _ in
            if line.hasPrefix("GET /v1/events/event-") {
                return .json(
                    200, ["event": try! JSON.value(of: row(Int64(line.split(separator: "-")[1])!), nulls: .write)])
            }
            if line.contains("event_types=") {
                let rows = failed.map { [try! JSON.value(of: $0, nulls: .write)] } ?? []
                return .json(200, ["events": .array(rows), "next_cursor": nil])
            }
            guard line.contains("cursor=\(100 + length)") else {
                return .json(404, Samples.problem(404, .eventNotFound, line))
            }
            let later = [row(length + 1), row(length + 2)].map { try! JSON.value(of: $0, nulls: .write) }
            return .json(200, ["events": .array(later), "next_cursor": nil])
        }
    }

    @Test("tells the origin first, then each cause, the thing itself, and what followed")
    func chain() {
        let (exit, said) = aos(["why", "event-3"], api(3))
        #expect(exit == .ok)
        #expect(
            said.outputLines.map { $0.split(separator: "\t", omittingEmptySubsequences: false)[1] }
                == ["101", "102", "103", "104", "105"])
        #expect(said.outputLines[0].contains("queued by") && said.outputLines[2].hasPrefix("*\t"))
    }

    @Test("tells what went wrong on the way, where the recorded cause is another")
    func setbacks() {
        var failed = Samples.event(2, ToolFailed(toolCallID: "tc_1", message: "no such file"))
        (failed.eventID, failed.causationID) = ("event-x", "event-1")
        let (_, said) = aos(["why", "event-3"], api(3, failed: failed))
        #expect(said.outputLines.count { $0.contains("no such file") } == 1)
        // What has nothing to do with it stays out.
        failed.causationID = "event-of-another"
        #expect(!aos(["why", "event-3"], api(3, failed: failed)).said.output.contains("no such file"))
    }

    @Test("never takes more than 20 lines, and keeps the origin and the end", arguments: [17, 18, 19, 60, 150])
    func lines(length: Int64) {
        let (_, said) = aos(["why", "event-\(length)"], api(length))
        #expect(said.outputLines.count <= 20)
        #expect(said.outputLines[0].hasPrefix("\t101\t"))
        #expect(said.outputLines.contains { $0.hasPrefix("*\t\(100 + length)\t") })
        #expect(said.outputLines.contains { $0.contains("more between") } == (length > 18))
    }

    @Test("as JSON has all of it")
    func json() throws {
        let (_, said) = aos(["why", "event-60", "--json"], api(60))
        let found = try JSON.parse(said.output)
        #expect(found["causes"]?.arrayValue?.count == 59)
        #expect(found["effects"]?.arrayValue?.count == 2)
    }
}

@Suite("aos wait")
struct WaitTests {
    @Test(
        "says how the run ended, and nothing before",
        arguments: [(RunStatus.succeeded, ExitCode.ok), (.failed, .failed), (.cancelled, .failed)])
    func ended(status: RunStatus, exit: ExitCode) {
        let ends: [RunStatus: any EventPayload] = [
            .succeeded: RunCompleted(runID: Samples.runID), .failed: RunFailed(runID: Samples.runID),
            .cancelled: RunCancelled(runID: Samples.runID),
        ]
        let event = Samples.event(1, ends[status]!)
        let api = FakeAPI { line, _ in
            line.hasPrefix("GET /v1/events")
                ? .json(200, ["events": [try! JSON.value(of: event, nulls: .write)], "next_cursor": nil])
                : .json(200, ["run": Samples.json(Samples.run(Samples.runID, status))])
        }
        let (found, said) = aos(["logs", Samples.runID.rawValue], api)
        #expect(found == .ok && said.outputLines.count == 1)
        let view = view(api)
        #expect(view.exit == exit && view.lines.isEmpty)
    }

    private func view(_ api: FakeAPI) -> (exit: ExitCode?, lines: [String]) {
        let session = Session(console: Recorder().console(), environment: ["AOS_TOKEN": "t"], clock: FixedClock()) {
            _ in
            api
        }
        var lines: [String] = []
        var view = RunView(session, Samples.run(), .nothing, screen: .pipe) { lines.append($0) }
        return (try? view.follow(untilWaiting: false, Interruption()), lines)
    }
}
