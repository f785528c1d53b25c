import DatabaseCore
import Shared

/// A filter as one statement that goes by the index which leaves the least to look at.
///
/// A planner without statistics would guess, and guess wrong where two conditions have an index each. So the path is
/// chosen here, and what is not on it is asked of a column in disguise, which no index has.
struct EventSearch {
    /// Up to this length a stream is searched from its cursor on, whatever else is asked; beyond it a type is the better
    /// path: most events of its kind are in such a stream anyway.
    static let shortStreamEvents: Int64 = 10_000

    private enum Path { case step, run, correlation, thread, agent, stream, types, principal, actor, scan }

    private(set) var statement: SQL

    private let filter: EventFilter
    private let path: Path
    private let stream: StreamID?
    private var streamBounds: (after: Int64, through: Int64?) = (0, nil)

    /// - Parameter isBackwards: The last ones first.
    /// - Parameter mayScan: Nobody waits for it, so the log may be read from end to end.
    init(
        _ filter: EventFilter, limit: Int, isBackwards: Bool = false, mayScan: Bool = false,
        in transaction: any ReadTransaction
    ) throws {
        self.filter = filter
        // A room's events are all in its stream, which has an index; a room has none of its own.
        stream = filter.stream ?? filter.roomID.map { .room($0) }
        path = try Self.path(filter, stream, mayScan: mayScan, transaction)
        if path == .stream, let stream { streamBounds = try Self.bounds(of: stream, filter, transaction) }
        // Within a stream both orders are the same, and the stream's index has this one.
        let order = SQL(
            unsafeText: " ORDER BY \(path == .stream ? "stream_seq" : "global_seq")\(isBackwards ? " DESC" : "")")
        statement = EventTable.select(on: transaction.backend)
        let branches = self.branches
        if branches.count <= 1 {
            statement.append(" WHERE ")
            statement.append(branches.first ?? "1 = 0")
        } else {
            // Each branch is a range of an index in the right order; together they have the first ones of all.
            statement.append(" WHERE global_seq IN (")
            for (index, branch) in branches.enumerated() {
                if index > 0 { statement.append(" UNION ALL ") }
                statement.append("SELECT global_seq FROM (SELECT global_seq FROM evt_events WHERE ")
                statement.append(branch)
                statement.append(order)
                statement.append(" LIMIT \(limit)) AS branch")
            }
            statement.append(")")
        }
        statement.append(order)
        statement.append(" LIMIT \(limit)")
    }

    private static func path(
        _ filter: EventFilter, _ stream: StreamID?, mayScan: Bool, _ transaction: any ReadTransaction
    ) throws -> Path {
        if filter.stepID != nil { return .step }
        if filter.runID != nil { return .run }
        if filter.correlationID != nil { return .correlation }
        if filter.threadID != nil { return .thread }
        if filter.subjectAgentID != nil { return .agent }
        let canGoByType = !filter.eventTypes.isEmpty && filter.workspaces != nil
        if let stream {
            guard canGoByType, try EventQueries.lastSeq(of: stream, in: transaction) > shortStreamEvents else {
                return .stream
            }
        }
        if canGoByType { return .types }
        if filter.subjectPrincipalID != nil || filter.actorID != nil { return .principal }
        if filter.workspaces == nil || (mayScan && filter.actorType == nil) { return .scan }
        return .actor
    }

    /// Where the places in the log lie in the stream: both orders are the same, so they are found by halving.
    private static func bounds(
        of stream: StreamID, _ filter: EventFilter, _ transaction: any ReadTransaction
    ) throws -> (after: Int64, through: Int64?) {
        func place(of globalSeq: Int64) throws -> Int64 {
            try Halving.last(upTo: EventQueries.lastSeq(of: stream, in: transaction)) { seq in
                let found = try transaction.first(
                    """
                    SELECT global_seq FROM evt_events WHERE stream_type = \(stream.type.rawValue)
                        AND stream_id = \(stream.id) AND stream_seq >= \(seq) ORDER BY stream_seq LIMIT 1
                    """
                ) { try $0.get("global_seq", as: Int64.self) }
                return found.map { $0 <= globalSeq } ?? false
            }
        }
        let after = filter.afterGlobalSeq > 0 ? try place(of: filter.afterGlobalSeq) : 0
        return (max(after, filter.afterStreamSeq ?? 0), try filter.throughGlobalSeq.map(place))
    }

    // MARK: Conditions

    /// The conditions of each range that has to be read.
    private var branches: [SQL] {
        let rest = conditions
        func with(_ condition: SQL) -> SQL {
            var all = condition
            all.append(rest)
            return all
        }
        let workspaces = filter.workspaces ?? []
        switch path {
        case .step: return [with("step_id = \(filter.stepID)")]
        case .run: return [with("run_id = \(filter.runID)")]
        case .correlation: return [with("correlation_id = \(filter.correlationID)")]
        case .thread: return [with("thread_id = \(filter.threadID)")]
        case .agent: return [with(about(.agent, filter.subjectAgentID ?? ""))]
        case .stream:
            var condition: SQL = """
                stream_type = \(stream?.type.rawValue) AND stream_id = \(stream?.id)
                    AND stream_seq > \(streamBounds.after)
                """
            if let through = streamBounds.through { condition.append(" AND stream_seq <= \(through)") }
            return [with(condition)]
        case .types:
            return workspaces.flatMap { workspace in
                filter.eventTypes.map { with("workspace_id = \(workspace) AND event_type = \($0)") }
            }
        case .principal:
            guard let principal = filter.subjectPrincipalID else {
                // A principal is made of the actor, so it is known without looking.
                let types = filter.actorType.map { [$0] } ?? ActorType.allCases
                return types.map { type in
                    with("actor_principal_id = \(Principal.id(of: Actor(type, filter.actorID ?? "")))")
                }
            }
            return [with("actor_principal_id = \(principal)"), with(about(.principal, principal))]
        case .actor:
            return workspaces.flatMap { workspace in
                (filter.actorType.map { [$0] } ?? ActorType.allCases).map {
                    with("workspace_id = \(workspace) AND actor_type = \($0)")
                }
            }
        case .scan: return [with("1 = 1")]
        }
    }

    private func about(_ kind: EventSubjects.Kind, _ id: String) -> SQL {
        var sql: SQL = "global_seq IN ("
        sql.append(
            EventSubjects.places(of: kind, id, after: filter.afterGlobalSeq, through: filter.throughGlobalSeq))
        sql.append(")")
        return sql
    }

    /// What holds on every path, each with its ` AND `. An added empty text keeps a column away from its index, in SQLite
    /// and Postgres alike.
    private var conditions: SQL {
        var sql: SQL = ""
        if path != .stream {
            if filter.afterGlobalSeq > 0 { sql.append(" AND global_seq > \(filter.afterGlobalSeq)") }
            if let through = filter.throughGlobalSeq { sql.append(" AND global_seq <= \(through)") }
            if let stream {
                sql.append(
                    " AND stream_type || '' = \(stream.type.rawValue) AND stream_id || '' = \(stream.id)")
            }
            if let seq = filter.afterStreamSeq { sql.append(" AND stream_seq + 0 > \(seq)") }
        }
        if let workspaces = filter.workspaces, path != .types, path != .actor {
            sql.append(" AND workspace_id || '' IN (\(list: workspaces))")
        }
        if let room = filter.roomID { sql.append(" AND room_id = \(room)") }
        if let thread = filter.threadID, path != .thread { sql.append(" AND thread_id || '' = \(thread)") }
        if let run = filter.runID, path != .run { sql.append(" AND run_id || '' = \(run)") }
        if let correlation = filter.correlationID, path != .correlation {
            sql.append(" AND correlation_id || '' = \(correlation)")
        }
        if !filter.eventTypes.isEmpty, path != .types {
            sql.append(" AND event_type || '' IN (\(list: filter.eventTypes))")
        }
        if let type = filter.actorType, path != .actor { sql.append(" AND actor_type || '' = \(type)") }
        if let actor = filter.actorID { sql.append(" AND actor_id = \(actor)") }
        if let agent = filter.subjectAgentID, path != .agent {
            sql.append(" AND ")
            sql.append(EventSubjects.isAbout(.agent, agent))
        }
        if let principal = filter.subjectPrincipalID, path != .principal {
            sql.append(" AND (actor_principal_id || '' = \(principal) OR ")
            sql.append(EventSubjects.isAbout(.principal, principal))
            sql.append(")")
        }
        return sql
    }
}

/// Finds where something ceases to hold that holds from 1 on up to some number.
enum Halving {
    /// The last number for which it holds, 0 when it never does.
    static func last(upTo most: Int64, where holds: (Int64) throws -> Bool) rethrows -> Int64 {
        var (low, high) = (Int64(0), most)
        while low < high {
            let middle = high - (high - low) / 2
            if try holds(middle) { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
