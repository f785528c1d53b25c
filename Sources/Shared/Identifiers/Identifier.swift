/// What an identifier names, and the prefix that shows it.
package protocol IdentifierKind: Sendable {
    /// What stands before the ULID, `_` included; empty for identifiers that are chosen freely.
    static var prefix: String { get }
}

/// A typed name of one thing: a run's identifier cannot be passed where a room's is meant.
package struct Identifier<Kind: IdentifierKind>: RawRepresentable, Hashable, Sendable, Codable,
    CustomStringConvertible, ExpressibleByStringLiteral, Comparable
{
    package var rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral value: String) { rawValue = value }

    /// Makes a new identifier: the prefix and a ULID, so that identifiers made later sort later.
    /// - Parameter random: 10 random bytes.
    package init(at time: Timestamp, random: [UInt8]) {
        rawValue = Kind.prefix + ULID.text(milliseconds: time.milliseconds, random: random)
    }

    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

package enum RoomKind: IdentifierKind { package static let prefix = "room_" }
package enum ThreadKind: IdentifierKind { package static let prefix = "th_" }
package enum RunKind: IdentifierKind { package static let prefix = "run_" }
package enum StepKind: IdentifierKind { package static let prefix = "step_" }
package enum ToolCallKind: IdentifierKind { package static let prefix = "tc_" }
package enum ArtifactKind: IdentifierKind { package static let prefix = "art_" }
package enum ApprovalKind: IdentifierKind { package static let prefix = "appr_" }
package enum AttemptKind: IdentifierKind { package static let prefix = "rat_" }
package enum EngineKind: IdentifierKind { package static let prefix = "eng_" }
package enum EngineTokenKind: IdentifierKind { package static let prefix = "engtok_" }
package enum MessageKind: IdentifierKind { package static let prefix = "msg_" }
package enum IncidentKind: IdentifierKind { package static let prefix = "inc_" }
package enum LearningKind: IdentifierKind { package static let prefix = "learn_" }
package enum EvidenceKind: IdentifierKind { package static let prefix = "evd_" }
package enum ExperimentKind: IdentifierKind { package static let prefix = "exp_" }
package enum ScorecardKind: IdentifierKind { package static let prefix = "scd_" }
package enum LessonKind: IdentifierKind { package static let prefix = "les_" }
package enum ConstraintKind: IdentifierKind { package static let prefix = "cst_" }
package enum OwnerKind: IdentifierKind { package static let prefix = "own_" }
package enum SessionKind: IdentifierKind { package static let prefix = "ses_" }
package enum WorkspaceKind: IdentifierKind { package static let prefix = "" }
package enum EventKind: IdentifierKind { package static let prefix = "" }

package typealias RoomID = Identifier<RoomKind>
package typealias ThreadID = Identifier<ThreadKind>
package typealias RunID = Identifier<RunKind>
package typealias StepID = Identifier<StepKind>
package typealias ToolCallID = Identifier<ToolCallKind>
package typealias ArtifactID = Identifier<ArtifactKind>
package typealias ApprovalID = Identifier<ApprovalKind>
package typealias AttemptID = Identifier<AttemptKind>
package typealias EngineID = Identifier<EngineKind>
package typealias EngineTokenID = Identifier<EngineTokenKind>
package typealias MessageID = Identifier<MessageKind>
package typealias IncidentID = Identifier<IncidentKind>
package typealias LearningID = Identifier<LearningKind>
package typealias EvidenceID = Identifier<EvidenceKind>
package typealias ExperimentID = Identifier<ExperimentKind>
package typealias ScorecardID = Identifier<ScorecardKind>
package typealias LessonID = Identifier<LessonKind>
package typealias ConstraintID = Identifier<ConstraintKind>
package typealias OwnerID = Identifier<OwnerKind>
package typealias SessionID = Identifier<SessionKind>
package typealias WorkspaceID = Identifier<WorkspaceKind>
package typealias EventID = Identifier<EventKind>

extension WorkspaceID {
    /// Where a request without a workspace goes.
    package static let development: WorkspaceID = "ws_dev"
    /// What concerns the whole instance: starts, stops, kill switch (RULINGS 14).
    package static let system: WorkspaceID = "ws_system"
}
