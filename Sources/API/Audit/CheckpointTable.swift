import DatabaseCore
import EventStore
import Projectors
import Shared

/// How far a log was when it was signed: a C2SP checkpoint (https://c2sp.org/tlog-checkpoint) and what it says.
struct Checkpoint: Codable, Hashable, Sendable {
    var origin: String
    /// Events up to this one.
    var size: Int64
    /// Base64 of the Merkle root over their hashes (RFC 6962).
    var root: String
    var note: String
    var signedAt: Timestamp
}

/// `op_checkpoints`: the last one of each origin. All the SQL that touches it is in this file.
enum CheckpointTable {
    static let table = Table<Checkpoint>(
        "op_checkpoints", keys: ["origin"],
        blank: Checkpoint(origin: "", size: 0, root: "", note: "", signedAt: Timestamp(milliseconds: 0)),
        columns: [
            Column("origin", \.origin), Column("size", \.size), Column("root", \.root), Column("note", \.note),
            Column("signed_at", \.signedAt),
        ])

    static let migration = Migration(7, "checkpoints", table.schema)

    static func find(_ origin: String, _ transaction: any ReadTransaction) throws -> Checkpoint? {
        try table.find(origin, in: transaction)
    }

    static func put(_ checkpoint: Checkpoint, _ transaction: any WriteTransaction) throws {
        try table.put(checkpoint, in: transaction)
    }
}
