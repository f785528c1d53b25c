import Crypto
import DatabaseCore
import Domain
import EventStore
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

@testable import Projectors

/// A database with log and read models, and a random life in it: every event comes out of a decider and goes through
/// log and projectors in one transaction, as the api does it.
final class History: Sendable {
    let folder: String
    private let scratch: ScratchDatabase
    var database: any Database { scratch.database }
    let log: EventLog
    let dice: SeededEntropy

    static let migrations = [EventTable.migration, ProjectorCatalogue.migration]

    init(seed: UInt64) throws {
        folder = "/tmp/aos-test-\(SystemEntropy().integer(in: 0...Int64.max))"
        try Files.makeFolder(folder)
        scratch = try ScratchDatabase(in: folder, Self.migrations) { Issue.record("storage fault: \($0)") }
        let dice = SeededEntropy(seed: seed)
        self.dice = dice
        log = EventLog { dice.bytes($0) }
    }

    deinit { try? Files.removeTree(folder) }

    /// A database in a file, beside the one that is lived in.
    func another() throws -> ScratchDatabase {
        try ScratchDatabase(.sqlite, in: folder, Self.migrations) { Issue.record("storage fault: \($0)") }
    }

    /// Lives on until there are so many events.
    func live(until events: Int64) throws {
        var clock = Timestamp("2026-03-04T05:06:07.089Z")!
        while try database.read({ try EventQueries.lastGlobalSeq(in: $0) }) < events {
            clock = clock.adding(milliseconds: dice.integer(in: 1...5_000))
            let now = clock
            try database.writeAndWait { [log, dice] transaction in
                for step in 0..<40 {
                    let moment = Moment(
                        log: log, dice: dice, now: now.adding(milliseconds: Int64(step)), transaction: transaction)
                    // A refusal comes before the first write and is part of life.
                    do { try moment.act() } catch is Rejection {}
                }
            }
        }
    }

    /// The read models folded once more into a database of their own, and compared.
    func rebuild() throws -> (events: Int64, checks: [TableCheck]) {
        // Always into a file: so the two kinds of databases are compared too.
        let rebuilt = try another()
        let target = rebuilt.database
        defer { withExtendedLifetime(rebuilt) {} }
        return try database.read { live in
            let events = try Rebuild.fill(target, from: live)
            return (events, try target.read { try Rebuild.compare(live: live, rebuilt: $0) })
        }
    }
}

/// One command on whatever there is.
struct Moment {
    let log: EventLog
    let dice: SeededEntropy
    let now: Timestamp
    let transaction: any WriteTransaction

    static let workspaces: [WorkspaceID] = ["ws_dev", "ws_other"]

    func roll(_ most: Int) -> Int { Int(dice.integer(in: 0...Int64(most - 1))) }
    func pick<Value>(_ values: [Value]) -> Value? { values.isEmpty ? nil : values[roll(values.count)] }
    func id<Kind>() -> Identifier<Kind> { Identifier(at: now, random: dice.bytes(10)) }
    var facts: CommandFacts {
        CommandFacts(actor: pick([.operatorUser, Actor(.service, "engine"), Actor(.agent, "a")])!, now: now)
    }
    var word: String { pick(["plain", "Zoë 🙂", "ghp_aB3dE6gH9jK2mN5pQ8sT leaked", "\"quoted\"\n", ""])! }

    func record(_ drafts: [EventDraft]) throws {
        let recorded = try log.append(drafts, at: now, in: transaction)
        try ProjectorCatalogue.project(recorded, in: transaction)
        try learn(from: drafts, recorded)
    }

    func record(_ draft: EventDraft) throws { try record([draft]) }

    func act() throws {
        switch roll(46) {
        case 0: try createRoom()
        case 1, 2, 3: try createRun()
        case 4...7: try someRun(.queued) { try record(RunDecider.claim($0, by: pick(["eng_1", nil])!, facts)) }
        case 8: try someRun(.queued) { try record(RunDecider.start($0, facts)) }
        case 9:
            try someRun(.running) {
                try record(RunDecider.requeue($0, pick([.released, .drained, .leaseExpired])!, facts))
            }
        case 10:
            try someRun(.running) { run in
                let waits = [
                    Wait(.timer, wakeAt: now.adding(milliseconds: 500)), Wait(.halt), Wait(.approval, approvalID: "a"),
                ]
                try record(RunDecider.park(run, Array(waits.prefix(1 + roll(3))), isSettled: roll(3) == 0, facts))
            }
        case 11: try someRun(.waiting) { try record(RunDecider.requeue($0, .waitSettled, facts)) }
        case 12:
            try someRun(nil) { try record(RunDecider.cancel($0, reason: word, isHeld: roll(2) == 0, facts).events) }
        case 13:
            try someRun(.running) { run in
                try record(
                    roll(2) == 0
                        ? RunDecider.complete(run, CompleteRun(summary: word, output: ["w": .string(word)]), facts)
                        : RunDecider.fail(run, FailRun(message: word, error: roll(2) == 0 ? nil : ["c": 1]), facts))
            }
        case 14, 15, 16:
            try someRun(.running) { run in
                let request = CreateStep(
                    planStepID: run.hasPlan ? pick(["a", "b", "c"]) : nil, kind: "tool", title: word,
                    input: ["n": .integer(Int64(roll(9)))])
                if let name = request.planStepID, try StepTable.find(planStep: name, of: run.runID, transaction) != nil
                {
                    return
                }
                try record(StepDecider.create(id(), request, in: run, facts).events)
            }
        case 17:
            try someStep { step, run in
                let status = pick([StepStatus.succeeded, .failed, .skipped, .cancelled])!
                try record(
                    StepDecider.end(
                        step, as: status, EndStep(output: ["o": .string(word)], message: word, reason: word), in: run,
                        facts))
            }
        case 18, 19, 20: try someStep(ask)
        case 21, 22: try report()
        case 23: try decideApproval()
        case 26, 27: try followUp()
        case 28, 29: try conclude()
        case 30: try openIncident()
        case 31, 32, 33: try handleIncident()
        case 34: try session()
        case 35...40: try converse()
        case 41: try roll(2) == 0 ? createExperiment() : changeExperiment()
        case 42, 43: try recordScorecard()
        case 44: try logLesson()
        case 45: try evaluate()
        case 24:
            try record(
                KillSwitchDecider.set(
                    KillSwitchTable.state(transaction), roll(4) == 0, source: pick(KillSwitchSource.allCases)!,
                    reason: word,
                    correlationID: "c", facts))
        default:
            try someStep { step, run in
                let contents: [JSONValue?] = [
                    nil, ["type": "text", "text": .string(word)], ["type": "json", "json": ["a": [1, nil]]],
                    ["type": "uri", "uri": "https://example.com/"],
                ]
                let request = CreateArtifact(
                    kind: "report", title: word, mimeType: "text/plain", sizeBytes: 3, sha256: pick([nil, "ab"])!,
                    content: pick(contents)!, metadata: ["m": 1])
                try record(ArtifactDecider.create(id(), request, of: step, in: run, facts))
            }
        }
    }

    func someRun(_ status: RunStatus?, _ body: (Run) throws -> Void) throws {
        var condition: SQL = " WHERE 1 = 1"
        if let status { condition.append(" AND status = \(status)") }
        condition.append(" ORDER BY updated_at DESC LIMIT 6")
        if let run = pick(try RunTable.table.all(where: condition, in: transaction)) { try body(run) }
    }

    func someStep(_ body: (Step, Run) throws -> Void) throws {
        try someRun(.running) { run in
            if let step = pick(try StepTable.list(of: run.runID, transaction)) { try body(step, run) }
        }
    }

    func createRoom() throws {
        let request = CreateRoom(title: "Room \(word)", topic: word, missionID: pick([nil, "m_1"])!)
        try record(RoomDecider.create(id(), request, in: pick(Self.workspaces)!, correlationID: "c", facts).events)
    }

    func createRun() throws {
        guard let room = pick(try RoomTable.table.all(where: " ORDER BY room_id DESC LIMIT 4", in: transaction)) else {
            return try createRoom()
        }
        let steps: [JSONValue] = ["a", "b", "c"].map {
            ["id": .string($0), "tool": "shell", "with": ["argv": ["true"]]]
        }
        let input: JSONValue = roll(4) == 0 ? ["x": .string(word)] : ["plan": ["version": 1, "steps": .array(steps)]]
        let request = CreateRun(
            roomID: room.roomID, threadID: pick([nil, "th_1"])!,
            experimentID: try roll(3) == 0 ? nil : experiment(for: room), title: word, goal: word,
            input: input, tags: pick([nil, [], ["x", "y"]])!)
        try record(
            RunDecider.create(
                id(), request, in: room.workspaceID, roomID: room.roomID, correlationID: "corr_\(roll(9))",
                planSecret: nil, facts
            ).events)
    }

    func ask(_ step: Step, _ run: Run) throws {
        let calls: [(String, JSONValue)] = [
            ("shell", ["argv": ["true"]]), ("file.read", ["path": "f"]),
            ("file.write", ["path": "f", "text": .string(word)]),
            ("http", ["method": "POST", "url": "https://example.com/"]),
            ("http", ["method": "GET", "url": "https://example.com/"]),
            ("nonsense", [:]), ("approval", ["title": "Shall we?"]),
        ]
        let (tool, input) = pick(calls)!
        try ask(step, run, tool, input, ordinal: 1 + roll(2))
    }

    /// A call that waits is approved, or asks again.
    func followUp() throws {
        let waiting = try ToolCallTable.table.all(
            where: " WHERE status = 'waiting' ORDER BY updated_at DESC LIMIT 4", in: transaction)
        guard let call = pick(waiting), let ordinal = call.effectKey?.split(separator: "/").last.flatMap({ Int($0) }),
            let step = try StepTable.find(call.stepID, in: call.workspaceID, transaction),
            let run = try RunTable.find(call.runID, in: call.workspaceID, transaction),
            let approval = try call.approvalID.flatMap({ try ApprovalTable.find($0, in: call.workspaceID, transaction) }
            )
        else { return }
        if approval.status == .pending || approval.status == .held {
            return try record(
                ApprovalDecider.decide(approval, DecideApproval(decision: pick(["approve", "deny"])), facts))
        }
        try ask(step, run, call.toolName, call.input, ordinal: ordinal)
    }

    func ask(_ step: Step, _ run: Run, _ tool: String, _ input: JSONValue, ordinal: Int) throws {
        let hash = SHA256.text(ToolCallRequest.hashed(tool, input))
        let request = try ToolCallRequest(
            RequestToolCall(toolName: tool, title: word, input: input, ordinal: ordinal, tryNo: 1 + roll(3)),
            step: step,
            run: run, argsHash: hash)
        let existing = try request.effectKey.flatMap { try ToolCallTable.find(effectKey: $0, transaction) }
        let facts = ToolCallDecider.Facts(
            command: facts, run: run, step: step, existing: existing,
            approval: try existing?.approvalID.flatMap { try ApprovalTable.find($0, in: run.workspaceID, transaction) },
            policy: PolicyFacts(
                killSwitch: try KillSwitchTable.state(transaction),
                approvals: try ApprovalTable.approved(for: request.action, in: run.workspaceID, transaction), now: now),
            mode: roll(8) == 0 ? .shadow : .enforce, callCount: try ToolCallTable.count(of: run.runID, transaction),
            callsMax: 30, newCallID: id(), newApprovalID: id())
        try record(ToolCallDecider.request(request, facts).events)
    }

    func report() throws {
        guard
            let call = pick(
                try ToolCallTable.table.all(
                    where: " WHERE status IN ('running', 'unknown') ORDER BY updated_at DESC LIMIT 8", in: transaction)),
            let step = try StepTable.find(call.stepID, in: call.workspaceID, transaction),
            let run = try RunTable.find(call.runID, in: call.workspaceID, transaction)
        else { return }
        let scope = step.scope(in: run)
        if call.status == .unknown {
            let request = ResolveToolCall(
                outcome: pick([.succeeded, .failed]), reason: word, output: pick([nil, ["o": 1]])!)
            return try record(ToolCallDecider.resolve(call, request, scope: scope, facts))
        }
        switch roll(3) {
        case 0:
            try record(ToolCallDecider.succeed(call, EndToolCall(output: ["o": .string(word)]), scope: scope, facts))
        case 1: try record(ToolCallDecider.fail(call, EndToolCall(message: word), scope: scope, facts))
        default:
            try record(
                ToolCallDecider.fail(call, EndToolCall(message: word, error: ["unknown": true]), scope: scope, facts))
        }
    }

    func decideApproval() throws {
        if roll(4) == 0 {
            let request = RequestApproval(
                action: "external.write", title: word, roomID: pick([nil, "room_x"])!,
                scope: pick([nil, ["type": "workspace"]])!,
                expiresAt: now.adding(milliseconds: 2_000))
            return try record(
                ApprovalDecider.request(id(), request, in: pick(Self.workspaces)!, correlationID: "c", facts))
        }
        if roll(4) == 0 {
            for approval in try ApprovalTable.due(at: now, limit: 3, transaction) {
                if let draft = ApprovalDecider.expire(approval, facts) { try record(draft) }
            }
            return
        }
        guard
            let approval = pick(
                try ApprovalTable.table.all(where: " ORDER BY updated_at DESC LIMIT 8", in: transaction))
        else { return }
        let request = DecideApproval(decision: pick(["approve", "approve", "deny", "hold"]), reason: word)
        try record(ApprovalDecider.decide(approval, request, facts))
    }
}
