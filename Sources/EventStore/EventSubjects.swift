import DatabaseCore
import JSON
import Shared

/// `evt_subjects`: which events are about whom, as their payloads say. An index of the log, made with the append and of
/// nothing but the log; it proves nothing and is no part of the chain.
enum EventSubjects {
    enum Kind: String, CaseIterable {
        case agent, principal

        /// The members of `data` that name one.
        fileprivate var members: [String] {
            switch self {
            case .agent: ["agent_id"]
            case .principal: ["principal_id", "issued_to_principal_id"]
            }
        }
    }

    static let schema = Schema(
        sqlite: [
            """
            CREATE TABLE evt_subjects (
                kind TEXT NOT NULL CHECK (kind IN ('agent', 'principal')),
                subject_id TEXT NOT NULL,
                global_seq INTEGER NOT NULL REFERENCES evt_events,
                PRIMARY KEY (kind, subject_id, global_seq)
            ) STRICT, WITHOUT ROWID
            """
        ],
        postgres: [
            """
            CREATE TABLE evt_subjects (
                kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('agent', 'principal')),
                subject_id TEXT COLLATE "C" NOT NULL,
                global_seq BIGINT NOT NULL REFERENCES evt_events,
                PRIMARY KEY (kind, subject_id, global_seq)
            )
            """
        ])

    /// Notes whom the event is about. A note that is there already is of an event that somebody cut off the log: that is for
    /// the head file to tell, not for the next append. Most events name nobody, which one look at their bytes tells.
    static func note(_ data: [UInt8], at globalSeq: Int64, in transaction: any WriteTransaction) throws {
        guard mayName(data), let value = try? JSON.parse(data, limits: .stored) else { return }
        for kind in Kind.allCases {
            for id in Set(kind.members.compactMap { value[$0]?.stringValue }).sorted() {
                try transaction.execute(
                    """
                    INSERT INTO evt_subjects (kind, subject_id, global_seq)
                    VALUES (\(kind.rawValue), \(id), \(globalSeq))
                    ON CONFLICT (kind, subject_id, global_seq) DO NOTHING
                    """)
            }
        }
    }

    /// The places of the events about somebody, as a subquery.
    static func places(of kind: Kind, _ id: String, after: Int64, through: Int64?) -> SQL {
        var sql: SQL = """
            SELECT global_seq FROM evt_subjects WHERE kind = \(kind.rawValue) AND subject_id = \(id)
                AND global_seq > \(after)
            """
        if let through { sql.append(" AND global_seq <= \(through)") }
        return sql
    }

    /// Whether an event of the outer query is about somebody.
    static func isAbout(_ kind: Kind, _ id: String) -> SQL {
        """
        EXISTS (SELECT 1 FROM evt_subjects s WHERE s.kind = \(kind.rawValue) AND s.subject_id = \(id)
            AND s.global_seq = evt_events.global_seq)
        """
    }

    /// Whether a key that names somebody may be in the JSON: all of them end alike.
    private static func mayName(_ json: [UInt8]) -> Bool {
        let ends = [Array(#"agent_id":"#.utf8), Array(#"principal_id":"#.utf8)]
        return json.withUnsafeBufferPointer { json in
            json.indices.contains { at in
                json[at] == UInt8(ascii: "_")
                    && ends.contains { end in
                        let start = at - (end.count - 5)
                        return start >= 0 && start + end.count <= json.count
                            && json[start..<start + end.count].elementsEqual(end)
                    }
            }
        }
    }
}
