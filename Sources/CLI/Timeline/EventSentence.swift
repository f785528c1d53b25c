import JSON
package import Shared

/// An event in words.
package struct EventSentence: Hashable, Sendable {
    /// What kind of thing happened, at a glance.
    package enum Mark: Hashable, Sendable {
        case queued, started, call, succeeded, failed, waiting, asking, refused, artifact, cancelled, note

        package func text(_ screen: Console.Screen) -> String {
            let (icon, plain, style): (String, String, Style) =
                switch self {
                case .queued: ("○", "o", .dim)
                case .started: ("▶", ">", .blue)
                case .call: ("→", "-", .cyan)
                case .succeeded: ("✓", "+", .green)
                case .failed: ("✗", "x", .red)
                case .waiting: ("◷", "~", .yellow)
                case .asking: ("?", "?", .boldYellow)
                case .refused: ("⊘", "!", .red)
                case .artifact: ("◆", "=", .magenta)
                case .cancelled: ("■", "#", .yellow)
                case .note: ("·", ".", .dim)
                }
            return screen.styled(screen.hasUnicode ? icon : plain, style)
        }
    }

    package var mark: Mark
    package var text: String
    /// 0: the run; 1: a step; 2: something in a step.
    package var depth = 0
    /// What was written, or why: shown beneath.
    package var details: [String] = []
    /// What the reader can do about it: commands to copy, never cut.
    package var commands: [String] = []

    init(_ mark: Mark, _ text: String, depth: Int = 0, details: [String] = [], commands: [String] = []) {
        (self.mark, self.text, self.depth) = (mark, text, depth)
        (self.details, self.commands) = (details, commands)
    }

    /// What the reader already knows from earlier events.
    package struct Memory: Sendable {
        package var stepNames: [StepID: String] = [:]
        package var startedAt: [String: Timestamp] = [:]

        private let keepsTimes: Bool
        let outputLinesMax: Int

        /// - Parameters:
        ///   - keepsTimes: Whether durations can be told: only when nothing of a run is left out.
        ///   - outputLinesMax: How many lines of what a call has written.
        package init(keepsTimes: Bool = true, outputLinesMax: Int = ToolSummary.tailLinesMax) {
            (self.keepsTimes, self.outputLinesMax) = (keepsTimes, outputLinesMax)
        }

        func name(_ id: StepID?) -> String { id.map { stepNames[$0] ?? "step …\($0.rawValue.suffix(6))" } ?? "a step" }

        func took(_ key: String?, until end: Timestamp, _ word: String = "in") -> String {
            guard let key, let start = startedAt[key] else { return "" }
            return " \(word) \(Amounts.duration(milliseconds: end.milliseconds - start.milliseconds))"
        }

        package mutating func learn(_ row: EventRow, _ event: DomainEvent) {
            switch event {
            case .run(.started(let event)) where keepsTimes:
                if startedAt[event.runID.rawValue] == nil { startedAt[event.runID.rawValue] = row.recordedAt }
            case .step(.created(let event)):
                stepNames[event.stepID] = event.planStepID ?? event.title ?? event.kind
                if keepsTimes { startedAt[event.stepID.rawValue] = row.recordedAt }
            case .toolCall(.invoked(let event)) where keepsTimes: startedAt[event.toolCallID.rawValue] = row.recordedAt
            default: break
            }
        }
    }

    /// - Parameter row: Any event; one of a type that this program does not know is shown by its type.
    package init(_ row: EventRow, _ memory: Memory = Memory()) {
        guard let event = try? EventCatalogue.decode(row.eventType, row.data) else {
            self.init(.note, "\(row.eventType) \(row.data == [:] ? "" : ToolSummary.compact(row.data))")
            if row.stepID != nil { depth = 2 }
            return
        }
        self.init(row, event, memory)
    }

    package init(_ row: EventRow, _ event: DomainEvent, _ memory: Memory) {
        let by = "\(row.actorType.rawValue):\(row.actorID)"
        switch event {
        case .run(let event): self.init(event, row, memory, by)
        case .step(let event): self.init(event, row, memory)
        case .toolCall(let event): self.init(event, row, memory, by)
        case .approval(let event): self.init(event, row, by)
        case .artifact(.created(let event)): self.init(event)
        case .policy(let event): self.init(event)
        case .room(.created(let event)): self.init(.note, "room '\(event.title)' opened by \(by)")
        case .room(.updated(let event)):
            self.init(.note, "room changed by \(by)\(event.title.map { ": now '\($0)'" } ?? "")")
        case .auth(let event): self.init(event, by)
        case .evidence(let event): self.init(event)
        case .experiment(let event): self.init(event, by)
        case .incident(let event): self.init(event, by)
        case .learning(let event):
            self.init(event)
            depth = row.stepID == nil ? 0 : 2
        case .review(let event): self.init(event)
        case .thread(let event): self.init(event, by)
        case .engine(let event): self.init(event, by)
        case .log(let event): self.init(event, by)
        case .system(let event): self.init(event, by)
        }
    }

    // MARK: Runs and steps

    private init(_ event: RunEvent, _ row: EventRow, _ memory: Memory, _ by: String) {
        switch event {
        case .created: self.init(.queued, "queued by \(by)")
        case .started(let event):
            let attempt = event.attemptNo.map { $0 > 1 ? ", attempt \($0)" : "" } ?? ""
            self.init(
                .started, "started by \(event.engineID == nil ? by : String(by.dropFirst("service:".count)))\(attempt)")
        case .waiting(let event):
            self.init(
                .waiting, event.waits.map(Self.wait).joined(separator: "; "),
                commands: event.waits.flatMap { wait -> [String] in
                    switch wait.kind {
                    case .approval: wait.approvalID.map { ["aos approve \($0)"] } ?? []
                    case .unknown: wait.toolCallID.map { ["aos run resolve \($0) succeeded|failed"] } ?? []
                    case .halt: ["aos kill off"]
                    case .timer: []
                    }
                })
        case .requeued(let event): self.init(.queued, Self.requeued(event))
        case .cancelRequested(let event): self.init(.cancelled, "cancel asked for by \(by)\(Self.why(event.reason))")
        case .cancelled(let event):
            self.init(
                .cancelled,
                "cancelled\(memory.took(event.runID.rawValue, until: row.recordedAt, "after"))\(Self.why(event.reason))"
            )
        case .completed(let event):
            self.init(
                .succeeded,
                "succeeded\(memory.took(event.runID.rawValue, until: row.recordedAt))\(Self.why(event.summary))")
        case .failed(let event):
            self.init(
                .failed,
                "failed\(memory.took(event.runID.rawValue, until: row.recordedAt, "after"))\(Self.why(event.message))")
        }
    }

    /// What a parked run waits for.
    package static func wait(_ wait: Wait) -> String {
        let step = wait.planStepID.map { "\($0) " } ?? ""
        return switch wait.kind {
        case .approval: "\(step)waits for an approval"
        case .timer: "\(step)sleeps until \(wait.wakeAt.map { Amounts.timeOfDay($0) } ?? "later")"
        case .unknown: "\(step)waits: nobody knows whether the call took effect"
        case .halt: "\(step)is held by the kill switch"
        }
    }

    private static func requeued(_ event: RunRequeued) -> String {
        switch event.reason {
        case .leaseExpired: "queued again: its engine was lost"
        case .released: "queued again: its engine gave it back"
        case .drained: "queued again: its engine was stopped"
        case .waitSettled: "queued again: what it waited for is settled"
        }
    }

    private static func why(_ text: String?) -> String { text.map { $0.isEmpty ? "" : ": \($0)" } ?? "" }

    private init(_ event: StepEvent, _ row: EventRow, _ memory: Memory) {
        func named(_ id: StepID) -> String { memory.name(id) }
        func took(_ id: StepID, _ word: String = "in") -> String {
            memory.took(id.rawValue, until: row.recordedAt, word)
        }
        switch event {
        case .created(let event):
            let name = event.planStepID ?? event.title ?? event.kind
            let title = event.title.map { $0 == name ? "" : "  \($0)" } ?? ""
            self.init(.started, name + title, depth: 1)
        case .succeeded(let event): self.init(.succeeded, "\(named(event.stepID)) done\(took(event.stepID))", depth: 1)
        case .failed(let event):
            self.init(
                .failed, "\(named(event.stepID)) failed\(took(event.stepID, "after"))\(Self.why(event.message))",
                depth: 1)
        case .skipped(let event): self.init(.note, "\(named(event.stepID)) skipped\(Self.why(event.reason))", depth: 1)
        case .cancelled(let event):
            self.init(.cancelled, "\(named(event.stepID)) cancelled\(Self.why(event.reason))", depth: 1)
        }
    }

    // MARK: In a step

    private init(_ event: ToolCallEvent, _ row: EventRow, _ memory: Memory, _ by: String) {
        func took(_ id: ToolCallID, _ word: String = "in") -> String {
            memory.took(id.rawValue, until: row.recordedAt, word)
        }
        switch event {
        case .requested(let event):
            self.init(.asking, "asks for: \(ToolSummary.arguments(event.toolName, event.input))", depth: 2)
        case .invoked(let event):
            let again = event.tryNo > 1 ? "  (try \(event.tryNo))" : ""
            self.init(.call, ToolSummary.arguments(event.toolName, event.input) + again, depth: 2)
        case .succeeded(let event):
            self.init(
                .succeeded, (ToolSummary.result(event.output) ?? "done") + took(event.toolCallID), depth: 2,
                details: ToolSummary.tail(event.output, linesMax: memory.outputLinesMax))
        case .failed(let event):
            self.init(
                .failed,
                (event.message ?? event.error?["message"]?.stringValue ?? "failed") + took(event.toolCallID, "after"),
                depth: 2, details: ToolSummary.complaint(event.error, linesMax: memory.outputLinesMax))
        case .unknown(let event):
            self.init(
                .asking, "outcome unknown: \(event.reason)", depth: 2,
                commands: [ResolvedOutcome.succeeded, .failed].map {
                    "aos run resolve \(event.toolCallID) \($0.rawValue)"
                })
        case .resolved(let event):
            self.init(
                event.outcome == .succeeded ? .succeeded : .failed,
                "settled as \(event.outcome.rawValue) by \(by)\(Self.why(event.reason))", depth: 2)
        }
    }

    private init(_ event: ApprovalEvent, _ row: EventRow, _ by: String) {
        let depth = row.stepID == nil ? 0 : 2
        switch event {
        case .requested(let event):
            let until = event.expiresAt.map { " (expires \(Amounts.age($0, now: row.recordedAt)))" } ?? ""
            self.init(
                .asking, "needs your approval: \(event.title ?? event.action)\(until)", depth: depth,
                commands: ["aos approve \(event.approvalID)", "aos deny \(event.approvalID) -m REASON"])
        case .decided(let event):
            let (mark, word): (Mark, String) =
                switch event.decision {
                case .approve: (.succeeded, "approved")
                case .deny: (.refused, "denied")
                case .hold: (.waiting, "put off")
                }
            self.init(mark, "\(word) by \(by)\(Self.why(event.reason))", depth: depth)
        case .consumed: self.init(.note, "approval used up by this call", depth: depth)
        case .expired: self.init(.refused, "approval expired: nobody decided in time", depth: depth)
        }
    }

    private init(_ event: ArtifactCreated) {
        let size = event.sizeBytes.map { ", \(Amounts.bytes($0))" } ?? ""
        let name = event.title ?? event.metadata?["path"]?.stringValue ?? event.kind
        self.init(
            .artifact, "artifact \(name) (\(event.mimeType ?? event.kind)\(size))", depth: 2)
    }

    private init(_ event: PolicyEvent) {
        switch event {
        case .denied(let event): self.init(event.refusal, .refused, "denied", why: event.refusal.reasonCode)
        case .requiresApproval(let event): self.init(event.refusal, .asking, "needs approval", why: nil)
        }
    }

    private init(_ refusal: PolicyRefusal, _ mark: Mark, _ verdict: String, why: String?) {
        let shadow = refusal.blocked ? "" : "  (shadow mode: let through)"
        self.init(
            mark,
            "policy: \(refusal.action) \(verdict) by rule \(refusal.ruleID)\(why.map { " (\($0))" } ?? "")\(shadow)",
            depth: 2)
    }

    // MARK: The instance

    private init(_ event: EngineEvent, _ by: String) {
        switch event {
        case .registered(let event):
            self.init(.note, "engine \(event.actorID) registered by \(by) as \(event.engineID)")
        case .tokenIssued(let event): self.init(.note, "token for engine \(event.engineID) issued by \(by)")
        case .tokenRevoked(let event):
            self.init(.note, "token of engine \(event.engineID) revoked by \(by)\(Self.why(event.reason))")
        case .deactivated(let event):
            self.init(.cancelled, "engine \(event.engineID) deactivated by \(by)\(Self.why(event.reason))")
        }
    }

    private init(_ event: SystemEvent, _ by: String) {
        switch event {
        case .apiStarted(let event): self.init(.note, "api \(event.version) started")
        case .apiStopped(let event): self.init(.note, "api stopped\(Self.why(event.reason))")
        case .configurationReloaded(let event):
            self.init(.note, "configuration reloaded: \(event.changed.joined(separator: ", "))")
        case .killSwitchEngaged(let event):
            self.init(.refused, "kill switch ON by \(Self.source(event.source, by))\(Self.why(event.reason))")
        case .killSwitchLifted(let event):
            self.init(.succeeded, "kill switch off by \(Self.source(event.source, by))\(Self.why(event.reason))")
        case .eventErased(let event):
            self.init(
                .cancelled,
                "what \(event.targetEventType) \(event.targetEventID) said was erased by \(by)\(Self.why(event.reason))"
            )
        case .eventRedacted(let event):
            self.init(.note, "event \(event.targetEventID) redacted\(Self.why(event.reason))")
        case .secretLeakedDetected(let event):
            self.init(
                .refused,
                "\(event.matchCount) secret(s) kept out of \(event.sourceEventType): \(event.ruleIDs.joined(separator: ", "))",
                depth: 2)
        }
    }

    private init(_ event: LogEvent, _ by: String) {
        switch event {
        case .backedUp(let event):
            self.init(.note, "backup of all up to event \(event.backupGlobalSeq) handed to \(by)")
        case .restored(let event):
            let lost = event.previousGlobalSeq.map { "; the log here before ended at event \($0)" } ?? ""
            self.init(
                .refused,
                "restored by \(by) from the backup of \(event.backupMadeAt), which ends at event \(event.backupGlobalSeq)\(lost)\(Self.why(event.reason))"
            )
        }
    }

    private static func source(_ source: KillSwitchSource, _ by: String) -> String {
        source == .environment ? "the environment" : by
    }
}
