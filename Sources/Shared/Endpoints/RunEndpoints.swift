import HTTP
package import JSON

// Runs and their leases.

extension Endpoint where Body == CreateRun, Answer == RunCreatedAnswer {
    package static var createRun: Self {
        .init(
            .post, "/v1/runs", "Queues a run.", .created,
            refuses: [
                .experimentNotFound, .experimentNotOpen, .experimentRoomMismatch, .missingRoomID, .planInvalid,
                .roomNotFound, .secretInPlan, .threadNotFound,
            ],
            example: CreateRun(
                roomID: ExampleIDs.room, title: "Count the lines", goal: "Know how long the report is",
                input: [
                    "plan": [
                        "version": 1,
                        "steps": [["id": "count", "tool": "shell", "with": ["argv": ["wc", "-l", "report.txt"]]]],
                    ]
                ], tags: ["reports"]),
            notes: """
                What the run shall do is `input.plan` (PLANS.md). A run without one is a record for an executor of one's own, which \
                starts, reports and ends it by these routes.
                """)
    }
}

extension Endpoint where Body == Nothing, Answer == RunList {
    package static var runs: Self {
        .init(
            .get, "/v1/runs", "Runs, newest change first.",
            query: [
                .equals("room_id"), .equals("experiment_id"),
                .choice("status", RunStatus.self, "Only those in this state.", .invalidStatus), .limit(50, max: 200),
                .cursor,
            ])
    }
}

extension Endpoint where Body == Nothing, Answer == RunAnswer {
    package static var run: Self { .init(.get, "/v1/runs/{run_id}", "One run.", refuses: [.runNotFound]) }
}

extension Endpoint where Body == Nothing, Answer == RunSnapshot {
    package static var runSnapshot: Self {
        .init(
            .get, "/v1/runs/{run_id}/snapshot",
            "A run with its steps, calls, approvals, artifacts and attempts, now or as it was after an event.",
            query: [
                .init(
                    "at_seq", .integer(0...Int64.max),
                    "The `global_seq` of the last event that has happened; before the run's first it is 404.",
                    refusal: .invalidCursor)
            ], refuses: [.runNotFound, .runTooLong, .overloaded],
            notes: """
                The past is folded from the log by the same code that keeps the tables, so with `at_seq=<last_seq>` it is the \
                same as without. Attempts are operational: of a past moment there are those that had begun by then, as they are \
                now.
                """)
    }
}

extension Endpoint where Body == ClaimRun, Answer == ClaimAnswer {
    package static var claimRun: Self {
        .init(
            .post, "/v1/runs/claim",
            "Gives the oldest queued run to the caller, under a lease; waits for one if asked to.",
            refuses: [.engineRoomNotAllowed, .engineRoomScopeRequired], example: ClaimRun(plan: "any"),
            notes: """
                `plan` is `required` (only runs with `input.plan`) or `any`. `wait_ms` (at most 30,000) holds the answer back until \
                there is a run. The answer's `claim_token` goes with every write to the run.
                """)
    }
}

extension Endpoint where Body == Fenced, Answer == LeaseAnswer {
    package static var heartbeat: Self {
        .init(
            .post, "/v1/runs/{run_id}/lease/heartbeat", "Keeps the lease for one more term.",
            refuses: [.leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotFound, .runNotRunning],
            example: Fenced())
    }
}

extension Endpoint where Body == ReleaseRun, Answer == ReleaseAnswer {
    package static var releaseRun: Self {
        .init(
            .post, "/v1/runs/{run_id}/lease/release", "Gives the run back to the queue.",
            refuses: [.leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotFound, .runNotRunning],
            example: ReleaseRun(reason: .released))
    }
}

extension Endpoint where Body == ParkRun, Answer == ParkAnswer {
    package static var parkRun: Self {
        .init(
            .post, "/v1/runs/{run_id}/park",
            "Ends the lease because nothing in the run can go on; it is queued again when a wait is settled.",
            refuses: [.leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runNotFound, .runNotRunning],
            example: ParkRun(waits: [Wait(.timer, planStepID: "pause", wakeAt: Timestamp("2099-01-01T00:00:00.000Z"))]))
    }
}

extension Endpoint where Body == Nothing, Answer == Done {
    package static var startRun: Self {
        .init(
            .post, "/v1/runs/{run_id}/start", "Starts a run without a plan, for an executor of the operator's.",
            refuses: [.runHasPlan, .runNotFound, .runNotQueued])
    }
}

extension Endpoint where Body == CompleteRun, Answer == Done {
    package static var completeRun: Self {
        .init(
            .post, "/v1/runs/{run_id}/complete", "Ends the run as succeeded.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runAlreadyEnded, .runNotFound, .runNotRunning,
            ], example: CompleteRun(summary: "Counted", output: ["lines": 42]))
    }
}

extension Endpoint where Body == FailRun, Answer == Done {
    package static var failRun: Self {
        .init(
            .post, "/v1/runs/{run_id}/fail", "Ends the run as failed.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runAlreadyEnded, .runNotFound, .runNotRunning,
            ], example: FailRun(message: "report.txt is missing", error: ["code": "file_not_found"]))
    }
}

extension Endpoint where Body == CancelRun, Answer == CancelAnswer {
    package static var cancelRun: Self {
        .init(
            .post, "/v1/runs/{run_id}/cancel", "Asks for the run's end; done at once when nobody holds it.",
            refuses: [.runAlreadyEnded, .runNotFound], example: CancelRun(reason: "Not needed any more"))
    }
}

extension Endpoint where Body == Fenced, Answer == Done {
    package static var confirmCancelled: Self {
        .init(
            .post, "/v1/runs/{run_id}/cancelled", "The holder confirms that no process of the run is left.",
            refuses: [
                .leaseExpired, .leaseTokenMismatch, .missingClaimToken, .runAlreadyEnded, .runNotFound, .runNotRunning,
            ], example: Fenced())
    }
}

extension Endpoint where Body == Nothing, Answer == AttemptList {
    package static var attempts: Self {
        .init(.get, "/v1/runs/{run_id}/attempts", "Every claim of the run.", refuses: [.runNotFound])
    }
}

/// A run to queue. What it shall do is `input.plan`.
package struct CreateRun: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .required("room_id", .missingRoomID, bytesMax: Limits.nameBytesMax),
        .text("thread_id", bytesMax: Limits.nameBytesMax), .text("experiment_id", bytesMax: Limits.nameBytesMax),
        .text("title", bytesMax: Limits.titleBytesMax), .text("goal", bytesMax: Limits.textBytesMax), .object("input"),
        .list("tags", itemsMax: Limits.tagsMax), .text("correlation_id", bytesMax: Limits.nameBytesMax),
    ]

    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var experimentID: ExperimentID?
    package var title: String?
    package var goal: String?
    package var input: JSONValue?
    package var tags: [String]?
    package var correlationID: String?

    package init(
        roomID: RoomID? = nil, threadID: ThreadID? = nil, experimentID: ExperimentID? = nil, title: String? = nil,
        goal: String? = nil, input: JSONValue? = nil, tags: [String]? = nil, correlationID: String? = nil
    ) {
        (self.roomID, self.threadID, self.experimentID, self.title) = (roomID, threadID, experimentID, title)
        (self.goal, self.input, self.tags, self.correlationID) = (goal, input, tags, correlationID)
    }
}

/// The new run.
package struct RunCreatedAnswer: Codable, Hashable, Sendable {
    package var runID: RunID
    package var status: RunStatus

    package init(runID: RunID, status: RunStatus) {
        (self.runID, self.status) = (runID, status)
    }
}

/// Runs, newest change first.
package struct RunList: PagedAnswer, Codable, Hashable, Sendable {
    package var runs: [Run]
    package var nextCursor: String?

    package init(runs: [Run], nextCursor: String? = nil) {
        (self.runs, self.nextCursor) = (runs, nextCursor)
    }
}

/// One run.
package struct RunAnswer: Codable, Hashable, Sendable {
    package var run: Run

    package init(run: Run) {
        self.run = run
    }
}

/// A run with all that belongs to it.
package struct RunSnapshot: Codable, Hashable, Sendable {
    package var run: Run
    package var steps: [Step]
    package var toolCalls: [ToolCall]
    package var approvals: [Approval]
    package var artifacts: [Artifact]
    package var attempts: [RunAttempt]
    /// The last event that has happened, by `global_seq`; null for now.
    package var atSeq: Int64?
    /// The run's first and last event, by `global_seq`.
    package var firstSeq: Int64
    package var lastSeq: Int64

    package init(
        run: Run, steps: [Step], toolCalls: [ToolCall], approvals: [Approval], artifacts: [Artifact],
        attempts: [RunAttempt], atSeq: Int64?, firstSeq: Int64, lastSeq: Int64
    ) {
        (self.run, self.steps, self.toolCalls, self.approvals) = (run, steps, toolCalls, approvals)
        (self.artifacts, self.attempts) = (artifacts, attempts)
        (self.atSeq, self.firstSeq, self.lastSeq) = (atSeq, firstSeq, lastSeq)
    }
}

/// Which run the caller wants, and how long it is ready to wait for one.
package struct ClaimRun: Codable, Hashable, Sendable {
    package var roomID: RoomID?
    /// `required` (only runs with a plan) or `any`, the default.
    package var plan: String?
    /// 0 … 30000.
    package var waitMs: Int64?
    package var engineID: EngineID?
    package var engineToken: String?

    package init(
        roomID: RoomID? = nil, plan: String? = nil, waitMs: Int64? = nil, engineID: EngineID? = nil,
        engineToken: String? = nil
    ) {
        (self.roomID, self.plan, self.waitMs, self.engineID) = (roomID, plan, waitMs, engineID)
        self.engineToken = engineToken
    }
}

/// A run in the hands of its new holder, with what it needs to go on.
package struct ClaimedRun: Codable, Hashable, Sendable {
    package var runID: RunID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var experimentID: ExperimentID?
    package var status: RunStatus
    package var title: String?
    package var goal: String?
    package var input: JSONValue
    package var tags: [String]
    package var correlationID: String
    package var claimToken: String
    package var claimedByActorID: String
    package var leaseExpiresAt: Timestamp
    package var leaseHeartbeatAt: Timestamp
    package var leaseTTLMs: Int64
    package var attemptNo: Int
    package var startedAt: Timestamp
    /// How long earlier attempts ran: limits count running time, not waiting time.
    package var runningMs: Int64

    package init(
        runID: RunID, workspaceID: WorkspaceID, roomID: RoomID? = nil, threadID: ThreadID? = nil,
        experimentID: ExperimentID? = nil, status: RunStatus, title: String? = nil, goal: String? = nil,
        input: JSONValue,
        tags: [String], correlationID: String, claimToken: String, claimedByActorID: String,
        leaseExpiresAt: Timestamp, leaseHeartbeatAt: Timestamp, leaseTTLMs: Int64, attemptNo: Int,
        startedAt: Timestamp, runningMs: Int64
    ) {
        (self.runID, self.workspaceID, self.roomID, self.threadID) = (runID, workspaceID, roomID, threadID)
        (self.experimentID, self.status, self.title, self.goal) = (experimentID, status, title, goal)
        (self.input, self.tags, self.correlationID, self.claimToken) = (input, tags, correlationID, claimToken)
        (self.claimedByActorID, self.leaseExpiresAt, self.leaseHeartbeatAt, self.leaseTTLMs) = (
            claimedByActorID, leaseExpiresAt, leaseHeartbeatAt, leaseTTLMs
        )
        (self.attemptNo, self.startedAt, self.runningMs) = (attemptNo, startedAt, runningMs)
    }
}

/// The claimed run, or none.
package struct ClaimAnswer: Codable, Hashable, Sendable {
    package var claimed: Bool
    package var run: ClaimedRun?

    package init(claimed: Bool, run: ClaimedRun? = nil) {
        (self.claimed, self.run) = (claimed, run)
    }
}

/// A write by the run's holder. Its credentials may stand here instead of in the head (claim, heartbeat, release).
package struct Fenced: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax)
    ]

    package var claimToken: String?
    package var engineID: EngineID?
    package var engineToken: String?

    package init(claimToken: String? = nil, engineID: EngineID? = nil, engineToken: String? = nil) {
        (self.claimToken, self.engineID, self.engineToken) = (claimToken, engineID, engineToken)
    }
}

/// The lease as it stands, and what the holder must know.
package struct LeaseAnswer: Codable, Hashable, Sendable {
    package var ok: Bool
    package var leaseExpiresAt: Timestamp
    package var leaseHeartbeatAt: Timestamp
    package var cancelRequested: Bool
    package var killSwitch: Bool

    package init(
        ok: Bool, leaseExpiresAt: Timestamp, leaseHeartbeatAt: Timestamp, cancelRequested: Bool, killSwitch: Bool
    ) {
        (self.ok, self.leaseExpiresAt, self.leaseHeartbeatAt, self.cancelRequested) = (
            ok, leaseExpiresAt, leaseHeartbeatAt, cancelRequested
        )
        self.killSwitch = killSwitch
    }
}

/// Giving a run back.
package struct ReleaseRun: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax)
    ]

    package var claimToken: String?
    /// `released` (the default) or `drained`.
    package var reason: RequeueReason?
    package var engineID: EngineID?
    package var engineToken: String?

    package init(
        claimToken: String? = nil, reason: RequeueReason? = nil, engineID: EngineID? = nil, engineToken: String? = nil
    ) {
        (self.claimToken, self.reason) = (claimToken, reason)
        (self.engineID, self.engineToken) = (engineID, engineToken)
    }
}

/// Whether there was a lease to give back.
package struct ReleaseAnswer: Codable, Hashable, Sendable {
    package var ok: Bool
    package var released: Bool

    package init(ok: Bool, released: Bool) {
        (self.ok, self.released) = (ok, released)
    }
}

/// Why nothing in the run can go on.
package struct ParkRun: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax), .list("waits", itemsMax: Plan.stepsMax),
    ]

    package var claimToken: String?
    package var waits: [Wait]?

    package init(claimToken: String? = nil, waits: [Wait]? = nil) {
        (self.claimToken, self.waits) = (claimToken, waits)
    }
}

/// `queued` when a wait was settled already, `cancelled` when that was asked for, else `waiting`.
package struct ParkAnswer: Codable, Hashable, Sendable {
    package var ok: Bool
    package var status: RunStatus

    package init(ok: Bool, status: RunStatus) {
        (self.ok, self.status) = (ok, status)
    }
}

/// How the run succeeded.
package struct CompleteRun: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax), .text("summary", bytesMax: Limits.textBytesMax),
    ]

    package var claimToken: String?
    package var summary: String?
    package var output: JSONValue?

    package init(claimToken: String? = nil, summary: String? = nil, output: JSONValue? = nil) {
        (self.claimToken, self.summary, self.output) = (claimToken, summary, output)
    }
}

/// How the run failed.
package struct FailRun: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("claim_token", bytesMax: Limits.nameBytesMax), .text("message", bytesMax: Limits.textBytesMax),
    ]

    package var claimToken: String?
    package var message: String?
    package var error: JSONValue?

    package init(claimToken: String? = nil, message: String? = nil, error: JSONValue? = nil) {
        (self.claimToken, self.message, self.error) = (claimToken, message, error)
    }
}

/// Why the run shall end.
package struct CancelRun: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("reason", bytesMax: Limits.textBytesMax)
    ]

    package var reason: String?

    package init(reason: String? = nil) {
        self.reason = reason
    }
}

/// `cancelled` at once, or the state it is still in while its engine stops it.
package struct CancelAnswer: Codable, Hashable, Sendable {
    package var ok: Bool
    package var status: RunStatus

    package init(ok: Bool, status: RunStatus) {
        (self.ok, self.status) = (ok, status)
    }
}

/// The run's attempts, first first.
package struct AttemptList: Codable, Hashable, Sendable {
    package var attempts: [RunAttempt]

    package init(attempts: [RunAttempt]) {
        self.attempts = attempts
    }
}
