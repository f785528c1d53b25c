import APIClient
import CLI
import HTTP
import HTTPClient
import JSON
import Shared
import Testing

private let run = Samples.runID
private let call: ToolCallID = "tc_01EEEEEEEEEEEEEEEEEEEEEEEE"
private let approval: ApprovalID = "appr_01FFFFFFFFFFFFFFFFFFFFFFFF"

private func invoked(_ input: JSONValue) -> ToolInvoked {
    ToolInvoked(
        toolCallID: call, toolName: "shell", input: input, action: "shell.exec", effect: .once, argsHash: "h", tryNo: 1,
        attemptNo: 1)
}

@Suite("The timeline")
struct TimelineTests {
    private func lines(_ rows: [EventRow], _ screen: Console.Screen = .plainTerminal) -> [String] {
        var timeline = Timeline(for: screen)
        return rows.flatMap { timeline.lines(for: $0) }
    }

    @Test("tells a run in sentences, indented by step")
    func story() {
        let step = Samples.stepID
        let lines = lines([
            Samples.event(1, RunStarted(runID: run, attemptNo: 1, engineID: "eng_1")),
            Samples.event(
                2, StepCreated(stepID: step, planStepID: "count", kind: "tool", title: "Count lines"), step: step),
            Samples.event(3, invoked(["argv": ["wc", "-l", "it's here"]]), step: step),
            Samples.event(
                40, ToolSucceeded(toolCallID: call, output: ["exit_code": 0, "stdout": "a\nb\n\u{1B}[31mc\nd\ne\n"]),
                step: step),
            Samples.event(41, StepSucceeded(stepID: step), step: step),
            Samples.event(42, RunCompleted(runID: run)),
        ])
        #expect(
            lines.map { $0.dropFirst(14) } == [
                "▶ started by laptop", "  ▶ count  Count lines", "    → $ wc -l 'it'\\''s here'",
                "    ✓ exit 0 in 37 ms",
                "      │ (2 more lines)", "      │ c", "      │ d", "      │ e", "  ✓ count done in 39 ms",
                "✓ succeeded in 41 ms",
            ])
    }

    @Test("gives the exact command to approve with, never cut, and not twice")
    func approvals() {
        var screen = Console.Screen.plainTerminal
        screen.columns = 40
        let lines = lines(
            [
                Samples.event(
                    1,
                    ApprovalRequested(
                        approvalID: approval, action: "external.write", title: "Publish a very long report title"),
                    step: Samples.stepID),
                Samples.event(
                    2, RunWaiting(runID: run, waits: [Wait(.approval, planStepID: "ship", approvalID: approval)])),
            ], screen)
        #expect(lines.filter { $0.hasSuffix("aos approve \(approval)") }.count == 1)
        #expect(lines.contains { $0.hasSuffix("aos deny \(approval) -m REASON") })
    }

    @Test("says whose line it is when steps run side by side")
    func parallel() {
        let (one, two): (StepID, StepID) = ("step_1", "step_2")
        let lines = lines([
            Samples.event(1, StepCreated(stepID: one, planStepID: "a", kind: "tool"), step: one),
            Samples.event(2, StepCreated(stepID: two, planStepID: "b", kind: "tool"), step: two),
            Samples.event(3, invoked(["script": "x"]), step: one),
        ])
        #expect(lines[2].hasSuffix("→ a: $ x"))
    }

    @Test("in a pipe is a row per event, in ASCII without icons")
    func tabbed() {
        let lines = lines([Samples.event(3, invoked(["argv": ["a", "b\tc"]]), step: Samples.stepID)], .pipe)
        #expect(lines.count == 1)
        #expect(lines[0].hasPrefix("2026-03-04T05:06:07.003Z\t3\ttool.invoked\t"))
        #expect(lines[0].hasSuffix("\t$ a 'b\\tc'"))
    }

    @Test("shows an event of a later release by its type")
    func unknown() {
        var row = Samples.event(1, RunCompleted(runID: run))
        (row.eventType, row.data) = ("moon.risen", ["phase": "full\u{1B}[31m"])
        #expect(lines([row])[0].contains("moon.risen {\"phase\":\"full"))
        #expect(!lines([row])[0].contains("\u{1B}"))
    }

    @Test("has a sentence for every event there is", arguments: EventCatalogue.types)
    func complete(type: String) {
        var row = Samples.event(1, RunCompleted(runID: run))
        (row.eventType, row.data) = (type, [:])
        #expect(!EventSentence(row).text.isEmpty)
    }

    @Test(
        "knows how a run stands",
        arguments: [
            ([.waiting(.init(runID: run, waits: [Wait(.approval)]))], ExitCode.denied),
            ([.waiting(.init(runID: run, waits: [Wait(.timer)]))], .ok),
            (
                [
                    .waiting(.init(runID: run, waits: [Wait(.approval)])),
                    .requeued(.init(runID: run, reason: .waitSettled, attemptNo: 1)),
                ], .ok
            ),
            ([.completed(.init(runID: run))], .ok), ([.failed(.init(runID: run))], .failed),
            ([.cancelled(.init(runID: run))], .failed),
        ] as [([RunEvent], ExitCode)])
    func progress(events: [RunEvent], exit: ExitCode) {
        var progress = RunView.Progress()
        for event in events { progress.follow(Samples.event(1, event.payload)) }
        #expect(progress.exit == exit)
    }
}

@Suite("Following a room")
struct RoomFollowerTests {
    private static let path = "GET /v1/streams/rooms/\(Samples.roomID)"
    private static let rows = (1...6).map { Samples.event(Int64($0), RunStarted(runID: run)) }

    /// Everything that the follower hands over, until it has had `count` events.
    private func follow(_ api: FakeAPI, until count: Int, after seq: Int64 = 0) throws -> (
        seqs: [Int64], notices: [RoomFollower.Notice]
    ) {
        let client = APIClient(transport: api, credential: .bearer("token"))
        let follower = RoomFollower(
            client, room: Samples.roomID, clock: FixedClock(), interruption: Interruption(), pauseMilliseconds: 0...0)
        var (seqs, notices): ([Int64], [RoomFollower.Notice]) = ([], [])
        try follower.follow(after: seq, onNotice: { notices.append($0) }) { item in
            seqs.append(item.row.streamSeq)
            return seqs.count < count
        }
        return (seqs, notices)
    }

    @Test("goes on where the connection broke: nothing is missed, nothing comes twice")
    func resumes() throws {
        let rows = Self.rows
        let api = FakeAPI { _, before in
            switch before {
            // Breaks within the third event.
            case 0:
                .stream(
                    [Samples.frame(rows[0]) + Samples.frame(rows[1]), Array(Samples.frame(rows[2]).prefix(30))],
                    .broken("gone"))
            case 1: .failure(.unreachable("refused"))
            // A server that says again what was said already.
            case 2: .stream([Samples.frame(rows[1]), Samples.frame(rows[2]), Samples.frame(rows[3])], nil)
            default: .stream(rows[4...].map(Samples.frame), nil)
            }
        }
        let (seqs, notices) = try follow(api, until: 6)
        #expect(seqs == [1, 2, 3, 4, 5, 6])
        #expect(api.asked.map(\.lastEventID) == [nil, "2", "2", "4"])
        #expect(notices.count == 4)
        #expect(notices[1] == .back && notices[3] == .back)
    }

    @Test(
        "comes through at every byte at which the connection may break",
        arguments: Array(stride(from: 0, to: 1200, by: 7)))
    func everyByte(cut: Int) throws {
        let rows = Self.rows
        let api = FakeAPI { _, before in
            guard before == 0 else { return .stream(rows.map(Samples.frame), nil) }
            let bytes = rows.flatMap(Samples.frame)
            return .stream([Array(bytes.prefix(cut))], .broken("gone"))
        }
        #expect(try follow(api, until: 6).seqs == [1, 2, 3, 4, 5, 6])
    }

    @Test("starts where it is told")
    func start() throws {
        let rows = Self.rows
        let api = FakeAPI { _, _ in .stream(rows[4...].map(Samples.frame), nil) }
        #expect(try follow(api, until: 2, after: 4).seqs == [5, 6])
        #expect(api.asked[0].lastEventID == "4")
    }

    @Test("waits out a server that restarts, and gives up on one that refuses")
    func refusals() throws {
        let rows = Self.rows
        let restarting = FakeAPI { _, before in
            before == 0
                ? .json(503, Samples.problem(503, .draining, "draining")) : .stream([Samples.frame(rows[0])], nil)
        }
        #expect(try follow(restarting, until: 1).seqs == [1])
        let refusing = FakeAPI { _, _ in .json(401, Samples.problem(401, .invalidSession, "who are you?")) }
        #expect(throws: APIFailure.self) { try follow(refusing, until: 1) }
        #expect(refusing.asked.count == 1)
    }

    @Test("stops at once when interrupted")
    func interrupted() throws {
        let client = APIClient(transport: FakeAPI { _, _ in .failure(.unreachable("x")) }, credential: .bearer(nil))
        let interruption = Interruption()
        interruption.interrupt()
        let follower = RoomFollower(client, room: Samples.roomID, clock: FixedClock(), interruption: interruption)
        try follower.follow(after: 0) { _ in true }
    }
}

@Suite("Watching a run")
struct RunViewTests {
    private func watch(_ api: FakeAPI, untilWaiting: Bool = false) throws -> (ExitCode, [String]) {
        let session = Session(console: Recorder().console(), environment: ["AOS_TOKEN": "t"], clock: FixedClock()) {
            _ throws(HTTPClientError) in api
        }
        var types: [String] = []
        var view = RunView(session, Samples.run(), .timeline, screen: .pipe) { line in
            types.append(
                line.split(separator: "\t", omittingEmptySubsequences: false).dropFirst(2).first.map(String.init) ?? "")
        }
        return (try view.follow(untilWaiting: untilWaiting, Interruption()), types)
    }

    private func api(_ history: [EventRow], _ live: [EventRow]) -> FakeAPI {
        FakeAPI { line, _ in
            line.hasPrefix("GET /v1/events?")
                ? .json(
                    200, ["events": .array(history.map { try! JSON.value(of: $0, nulls: .write) }), "next_cursor": nil])
                : .stream(live.map(Samples.frame), nil)
        }
    }

    @Test("shows the history, then what is live, without the other runs of the room, and ends with the run")
    func whole() throws {
        let api = api(
            [Samples.event(1, RunStarted(runID: run))],
            [
                Samples.event(2, RunStarted(runID: "run_other"), run: "run_other"),
                Samples.event(3, RunFailed(runID: "run_other"), run: "run_other"),
                Samples.event(4, RunCompleted(runID: run)),
                Samples.event(5, RunStarted(runID: "run_late"), run: "run_late"),
            ])
        let (exit, types) = try watch(api)
        #expect(exit == .ok)
        #expect(types == ["run.started", "run.completed"])
        #expect(api.asked.last?.lastEventID == "1")
    }

    @Test("of a run that has ended opens no stream")
    func ended() throws {
        let api = api([Samples.event(1, RunFailed(runID: run))], [])
        #expect(try watch(api).0 == .failed)
        #expect(api.asked.count == 1)
    }

    @Test("ends with 3 when a person has to decide, if it was asked to")
    func waiting() throws {
        let waits = RunWaiting(runID: run, waits: [Wait(.approval, approvalID: approval)])
        let api = api([], [Samples.event(1, waits), Samples.event(2, RunCompleted(runID: run))])
        #expect(try watch(api, untilWaiting: true).0 == .denied)
        #expect(try watch(api, untilWaiting: false).0 == .ok)
    }
}
