import Domain
import JSON
import Shared

/// One run and what belongs to it, as the folds have it: events go in by `record`, commands ask the deciders.
struct World {
    static let workspace: WorkspaceID = "ws_test"
    static let start = Timestamp("2026-03-04T05:06:07.000Z")!

    var now = World.start
    var run: Run?
    var steps: [StepID: Step] = [:]
    var calls: [ToolCallID: ToolCall] = [:]
    var approvals: [ApprovalID: Approval] = [:]
    var incidents: [IncidentID: Incident] = [:]
    var learning: [LearningID: IncidentLearning] = [:]
    var evidence: Evidence?
    var killSwitch = KillSwitch()
    var room: Room?
    var threads: [ThreadID: RoomThread] = [:]
    var messages: [MessageID: Message] = [:]
    private(set) var events: [Recorded<DomainEvent>] = []
    private var names = 0

    /// The approvals that the gate is shown, as the table has it.
    static let consideredMax = 50

    mutating func name(_ prefix: String) -> String {
        names += 1
        return "\(prefix)\(names)"
    }

    func facts(_ actor: Actor = .operatorUser) -> CommandFacts { CommandFacts(actor: actor, now: now) }
    mutating func pass(_ milliseconds: Int64) { now = now.adding(milliseconds: milliseconds) }

    // MARK: Given

    /// A run that is queued, with a plan unless said otherwise.
    static func queued(hasPlan: Bool = true) throws -> World {
        var world = World()
        let plan: JSONValue = ["version": 1, "steps": [["id": "a", "tool": "sleep", "with": ["duration_ms": 1]]]]
        let request = CreateRun(roomID: "room_1", title: "Run", input: hasPlan ? ["plan": plan] : ["x": 1])
        let decision = try RunDecider.create(
            "run_1", request, in: workspace, roomID: "room_1", correlationID: "corr", planSecret: nil, world.facts())
        world.record(decision.events)
        return world
    }

    /// A run that an engine holds, with one step open.
    static func running(hasPlan: Bool = true) throws -> World {
        var world = try queued(hasPlan: hasPlan)
        try world.claim()
        try world.open("a", planned: hasPlan)
        return world
    }

    static func with(_ status: RunStatus) throws -> World {
        var world = try status == .queued ? queued() : running()
        guard let run = world.run else { return world }
        switch status {
        case .queued, .running: break
        case .waiting: world.record(try RunDecider.park(run, [Wait(.halt)], isSettled: false, world.facts()))
        case .succeeded: world.record([try RunDecider.complete(run, CompleteRun(), world.facts())])
        case .failed: world.record([try RunDecider.fail(run, FailRun(), world.facts())])
        case .cancelled: world.record(try RunDecider.cancel(run, reason: nil, isHeld: false, world.facts()).events)
        }
        return world
    }

    mutating func claim() throws { record([try RunDecider.claim(run!, by: "eng_1", facts())]) }

    /// The engine is lost, and another takes the run.
    mutating func loseAndReclaim() throws {
        record([try RunDecider.requeue(run!, .leaseExpired, facts(.api))])
        try claim()
    }

    mutating func open(_ planStep: String, planned: Bool = true) throws {
        let request = CreateStep(planStepID: planned ? planStep : nil, kind: "tool")
        record(try StepDecider.create(StepID("step_\(planStep)"), request, in: run!, facts()).events)
    }

    mutating func decide(_ id: ApprovalID, _ word: String, scope: JSONValue? = nil, expiresAt: Timestamp? = nil) throws
    {
        pass(1)
        let request = DecideApproval(decision: word, reason: "because", scope: scope, expiresAt: expiresAt)
        record([try ApprovalDecider.decide(approvals[id]!, request, facts())])
    }

    mutating func setKillSwitch(_ engaged: Bool, _ source: KillSwitchSource = .operator) throws {
        record(
            try KillSwitchDecider.set(killSwitch, engaged, source: source, reason: "test", correlationID: "c", facts()))
    }

    // MARK: When

    /// Asks to act, and records what is decided.
    mutating func ask(
        _ tool: String = "http", _ input: JSONValue = World.post, step: String = "a", ordinal: Int = 1, tryNo: Int = 1,
        effect: Effect? = nil, mode: EnforcementMode = .enforce, callsMax: Int? = nil, action: String? = nil
    ) throws(Rejection) -> ToolCallDecider.Answer {
        pass(1)
        let (run, step) = (self.run!, steps[StepID("step_\(step)")]!)
        let hash = String(decoding: ToolCallRequest.hashed(tool, input), as: UTF8.self)
        let request = try ToolCallRequest(
            RequestToolCall(
                toolName: tool, input: input, ordinal: ordinal, tryNo: tryNo, action: action, effect: effect),
            step: step, run: run, argsHash: hash)
        let existing = calls.values.first { $0.effectKey != nil && $0.effectKey == request.effectKey }
        let usable = approvals.values.filter {
            $0.status == .approved && $0.consumedAt == nil && $0.action == request.action.rawValue
        }
        .sorted { ($0.decidedAt!, $0.approvalID) > ($1.decidedAt!, $1.approvalID) }
        let facts = ToolCallDecider.Facts(
            command: CommandFacts(actor: Actor(.service, "engine"), now: now), run: run, step: step, existing: existing,
            approval: existing?.approvalID.flatMap { approvals[$0] },
            policy: PolicyFacts(killSwitch: killSwitch, approvals: Array(usable.prefix(Self.consideredMax)), now: now),
            mode: mode, callCount: calls.count, callsMax: callsMax, newCallID: ToolCallID(name("tc_")),
            newApprovalID: ApprovalID(name("appr_")))
        let decision = try ToolCallDecider.request(request, facts)
        record(decision.events)
        return decision.answer
    }

    mutating func fail(_ call: ToolCallID, unknown: Bool = false) throws {
        let error: JSONValue = unknown ? ["unknown": true] : ["code": "exit"]
        record([
            try ToolCallDecider.fail(
                calls[call]!, EndToolCall(message: "no", error: error), scope: scope(call), facts())
        ])
    }

    mutating func succeed(_ call: ToolCallID) throws {
        record([
            try ToolCallDecider.succeed(calls[call]!, EndToolCall(output: ["ok": true]), scope: scope(call), facts())
        ])
    }

    mutating func resolve(_ call: ToolCallID, _ outcome: ResolvedOutcome) throws {
        record([
            try ToolCallDecider.resolve(calls[call]!, ResolveToolCall(outcome: outcome), scope: scope(call), facts())
        ])
    }

    private func scope(_ call: ToolCallID) -> EventScope { steps[calls[call]!.stepID]!.scope(in: run!) }

    static let post: JSONValue = ["method": "POST", "url": "https://example.com/"]
    static let read: JSONValue = ["path": "f"]
    static let write: JSONValue = ["path": "f", "text": "t"]
    static let shell: JSONValue = ["argv": ["true"]]

    // MARK: Then

    /// The types of the events after the first so many.
    func types(after count: Int) -> [String] { events.dropFirst(count).map(\.event.type) }

    /// Folds drafts as the projectors do.
    mutating func record(_ drafts: [EventDraft]) {
        var previous: EventID?
        for draft in drafts {
            let seq = Int64(events.count + 1)
            let envelope = EventEnvelope(
                globalSeq: seq, eventID: EventID("e-\(seq)"), eventType: draft.event.type, eventVersion: 1,
                occurredAt: now, recordedAt: now, workspaceID: draft.scope.workspaceID,
                missionID: draft.scope.missionID,
                roomID: draft.scope.roomID, threadID: draft.scope.threadID, runID: draft.scope.runID,
                stepID: draft.scope.stepID, actor: draft.actor, actorPrincipalID: "p", zone: draft.zone,
                stream: draft.scope.stream, streamSeq: seq, correlationID: draft.scope.correlationID,
                causationID: draft.causationID ?? previous, redactionLevel: .none, containsSecrets: false,
                idempotencyKey: nil, entityType: nil, entityID: nil, payloadDigest: "", prevEventHash: nil,
                eventHash: "")
            previous = envelope.eventID
            let recorded = Recorded(envelope, draft.event)
            events.append(recorded)
            fold(recorded)
        }
    }

    private mutating func fold(_ recorded: Recorded<DomainEvent>) {
        switch recorded.event {
        case .run(let event): run = RunDecider.evolve(run, recorded.with(event))
        case .step(let event):
            let id = recorded.envelope.stepID!
            steps[id] = StepDecider.evolve(steps[id], recorded.with(event))
        case .toolCall(let event):
            let id = recorded.envelope.stepID!
            steps[id] = StepDecider.evolve(steps[id], recorded.with(event))
            calls[event.toolCallID] = ToolCallDecider.evolve(calls[event.toolCallID], recorded.with(event))
        case .approval(let event):
            let id: ApprovalID =
                switch event {
                case .requested(let event): event.approvalID
                case .decided(let event): event.approvalID
                case .consumed(let event): event.approvalID
                case .expired(let event): event.approvalID
                }
            approvals[id] = ApprovalDecider.evolve(approvals[id], recorded.with(event))
        case .incident(let event):
            incidents[event.incidentID] = IncidentDecider.evolve(incidents[event.incidentID], recorded.with(event))
            if case .learningLogged(let logged) = event {
                learning[logged.learningID] = IncidentDecider.evolve(nil, recorded.with(logged))
            }
        case .evidence(let event): evidence = EvidenceDecider.evolve(evidence, recorded.with(event))
        case .system(let event): killSwitch = KillSwitchDecider.evolve(killSwitch, recorded.with(event)) ?? killSwitch
        case .room(let event): room = RoomDecider.evolve(room, recorded.with(event))
        case .thread(let event):
            let id = recorded.envelope.threadID!
            threads[id] = ThreadDecider.evolve(threads[id], recorded.with(event))
            guard case .messageCreated(let created) = event else { break }
            messages[created.messageID] = MessageDecider.evolve(messages[created.messageID], recorded.with(event))
        case .artifact, .auth, .engine, .experiment, .learning, .log, .policy, .review: break
        }
    }
}

extension ToolCallDecider.Answer {
    /// In a word, for tables.
    var word: String {
        switch self {
        case .permitted: "permitted"
        case .ended(let call): "ended \(call.status.rawValue)"
        case .waiting: "waiting"
        case .refused(let rejection): rejection.reason.rawValue
        }
    }

    var callID: ToolCallID? {
        switch self {
        case .permitted(let id, _, _), .waiting(let id, _, _, _): id
        case .ended(let call): call.toolCallID
        case .refused: nil
        }
    }

    var approvalID: ApprovalID? { if case .waiting(_, let id, _, _) = self { id } else { nil } }
    var rejection: Rejection? { if case .refused(let rejection) = self { rejection } else { nil } }
}

/// The code a command is refused with; nil when it is not.
func reason(_ body: () throws -> Void) -> ReasonCode? {
    do {
        try body()
        return nil
    } catch { return (error as? Rejection)?.reason }
}
