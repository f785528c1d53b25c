package import DatabaseCore
package import JSON
package import Shared

// How the vocabulary is stored: identifiers and times readable, JSON canonical.

extension Identifier: SQLStorable {
    package var sqlValue: SQLValue { .text(rawValue) }
    package init(sqlValue: SQLValue) throws { self.init(rawValue: try String(sqlValue: sqlValue)) }
}

extension Timestamp: SQLStorable {
    package static var columnKind: ColumnKind { .time }
    package var sqlValue: SQLValue {
        // A client's cursor may name any moment.
        let (microseconds, isBeyond) = milliseconds.multipliedReportingOverflow(by: 1000)
        return .time(microseconds: isBeyond ? (milliseconds < 0 ? .min : .max) : microseconds, text: description)
    }
    package init(sqlValue: SQLValue) throws {
        if case .time(let microseconds, _) = sqlValue {
            // Rounded down, also before 1970.
            self.init(milliseconds: microseconds / 1000 - (microseconds % 1000 < 0 ? 1 : 0))
            return
        }
        guard let time = Timestamp(try String(sqlValue: sqlValue)) else {
            throw DatabaseError.unexpectedValue(expected: "an RFC 3339 time", found: sqlValue)
        }
        self = time
    }
}

extension JSONValue: SQLStorable {
    package static var columnKind: ColumnKind { .json }
    package var sqlValue: SQLValue { .utf8(JSON.canonical(self)) }
    package init(sqlValue: SQLValue) throws {
        self = try JSON.parse(try [UInt8](sqlValue: sqlValue), limits: .stored)
    }
}

extension JSONLimits {
    /// What is stored was within limits when it came in.
    package static let stored: JSONLimits = {
        var limits = JSONLimits()
        (limits.bytesMax, limits.valuesMax, limits.depthMax) = (.max, .max, 256)
        return limits
    }()
}

extension SQLStorable where Self: RawRepresentable<String> {
    package var sqlValue: SQLValue { .text(rawValue) }
    package init(sqlValue: SQLValue) throws {
        guard let value = Self(rawValue: try String(sqlValue: sqlValue)) else {
            throw DatabaseError.unexpectedValue(expected: "one of \(Self.self)", found: sqlValue)
        }
        self = value
    }
}

extension ActorType: SQLStorable {}
extension ApprovalDecision: SQLStorable {}
extension ApprovalStatus: SQLStorable {}
extension ArtifactContent.Kind: SQLStorable {}
extension Effect: SQLStorable {}
extension EngineRecord.Status: SQLStorable {}
extension Redaction.Action: SQLStorable {}
extension ExperimentStatus: SQLStorable {}
extension IncidentSeverity: SQLStorable {}
extension IncidentStatus: SQLStorable {}
extension PipelineEntityType: SQLStorable {}
extension RedactionLevel: SQLStorable {}
extension RiskTier: SQLStorable {}
extension RunStatus: SQLStorable {}
extension SearchDocument.Kind: SQLStorable {}
extension ScorecardDecision: SQLStorable {}
extension StepStatus: SQLStorable {}
extension StreamType: SQLStorable {}
extension ToolCallStatus: SQLStorable {}
extension Zone: SQLStorable {}
