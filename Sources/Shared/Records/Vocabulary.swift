/// Who did something.
package struct Actor: Hashable, Sendable, Codable, CustomStringConvertible {
    package var actorType: ActorType
    package var actorID: String

    package init(_ type: ActorType, _ id: String) { (actorType, actorID) = (type, id) }

    package var description: String { "\(actorType.rawValue):\(actorID)" }

    /// The person at the machine, by the operator token.
    package static let operatorUser = Actor(.user, "operator")
    /// This system itself: timers, rescues, projections of the environment.
    package static let api = Actor(.service, "api")
    /// What follows from events by itself, such as the incident of a failed run.
    package static let automation = Actor(.service, "automation")
    /// The scanner that redacts secrets before they are written.
    package static let secretScanner = Actor(.service, "dlp")
}

package enum ActorType: String, CaseIterable, Codable, Sendable { case service, user, agent }

/// How closely an act is watched, from the loosest to the strictest.
package enum Zone: String, CaseIterable, Codable, Comparable, Sendable {
    case sandbox, supervised
    case highStakes = "high_stakes"

    /// A lower zone is watched less.
    package static func < (left: Self, right: Self) -> Bool { left.strictness < right.strictness }

    private var strictness: Int {
        switch self {
        case .sandbox: 0
        case .supervised: 1
        case .highStakes: 2
        }
    }
}

/// What a stream belongs to. Every event is in exactly one stream: its room's, else its workspace's.
package enum StreamType: String, CaseIterable, Codable, Sendable { case room, thread, workspace }

/// A stream of events, numbered 1, 2, 3 … without a gap.
package struct StreamID: Hashable, Sendable, CustomStringConvertible {
    package var type: StreamType
    package var id: String

    package init(_ type: StreamType, _ id: String) { (self.type, self.id) = (type, id) }

    package static func room(_ room: RoomID) -> StreamID { StreamID(.room, room.rawValue) }
    package static func workspace(_ workspace: WorkspaceID) -> StreamID { StreamID(.workspace, workspace.rawValue) }

    /// The room's stream, or the workspace's where there is no room.
    package static func of(room: RoomID?, in workspace: WorkspaceID) -> StreamID {
        room.map { .room($0) } ?? .workspace(workspace)
    }

    package var description: String { "\(type.rawValue)/\(id)" }
}

package enum RedactionLevel: String, CaseIterable, Codable, Sendable { case none, partial, full }

package enum RunStatus: String, CaseIterable, Codable, Sendable {
    case queued, running, waiting, succeeded, failed, cancelled

    package var isTerminal: Bool {
        switch self {
        case .queued, .running, .waiting: false
        case .succeeded, .failed, .cancelled: true
        }
    }
}

package enum StepStatus: String, CaseIterable, Codable, Sendable {
    case queued, running, waiting, succeeded, failed, skipped, cancelled

    package var isTerminal: Bool {
        switch self {
        case .queued, .running, .waiting: false
        case .succeeded, .failed, .skipped, .cancelled: true
        }
    }
}

package enum ToolCallStatus: String, CaseIterable, Codable, Sendable {
    case waiting, running, succeeded, failed, unknown

    package var isTerminal: Bool {
        switch self {
        case .waiting, .running, .unknown: false
        case .succeeded, .failed: true
        }
    }
}

package enum ApprovalStatus: String, CaseIterable, Codable, Sendable { case pending, held, approved, denied, expired }

package enum ApprovalDecision: String, CaseIterable, Codable, Sendable { case approve, deny, hold }

/// How far an approval reaches; `once` is bound to the exact arguments by ``argsHash``.
package struct ApprovalScope: Hashable, Sendable, Codable {
    package enum Reach: String, CaseIterable, Codable, Sendable { case once, run, room, workspace, template }

    package var type: Reach
    package var workspaceID: WorkspaceID?
    package var roomID: RoomID?
    package var runID: RunID?
    package var correlationID: String?
    package var templateRef: String?
    package var argsHash: String?

    package init(type: Reach, roomID: RoomID? = nil, runID: RunID? = nil, argsHash: String? = nil) {
        (self.type, self.roomID, self.runID, self.argsHash) = (type, roomID, runID, argsHash)
    }
}

/// What a parked run waits for. It is queued again when any of its waits is settled.
package struct Wait: Hashable, Sendable, Codable {
    package enum Kind: String, CaseIterable, Codable, Sendable { case approval, timer, unknown, halt }

    package var kind: Kind
    package var planStepID: String?
    package var approvalID: ApprovalID?
    package var toolCallID: ToolCallID?
    package var wakeAt: Timestamp?

    package init(
        _ kind: Kind, planStepID: String? = nil, approvalID: ApprovalID? = nil, toolCallID: ToolCallID? = nil,
        wakeAt: Timestamp? = nil
    ) {
        (self.kind, self.planStepID, self.approvalID) = (kind, planStepID, approvalID)
        (self.toolCallID, self.wakeAt) = (toolCallID, wakeAt)
    }
}

/// Why a run went back to the queue.
package enum RequeueReason: String, CaseIterable, Codable, Sendable {
    case leaseExpired = "lease_expired"
    case released, drained
    case waitSettled = "wait_settled"
}

package enum PolicyDecision: String, CaseIterable, Codable, Sendable {
    case allow, deny
    case requireApproval = "require_approval"
}

package enum EnforcementMode: String, CaseIterable, Codable, Sendable { case enforce, shadow }
