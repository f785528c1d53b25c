import DatabaseCore
import EventStore
import Platform
import Projectors
import Shared

/// A key that all processes on one database have in common.
struct InstanceKey: Sendable {
    var name: String
    var value: String
}

/// `sec_instance_keys`: all the SQL that touches it is in this file. On SQLite the one process keeps its keys in files of
/// its data directory, so the table is there for servers only.
enum InstanceKeyTable {
    static let migration = Migration(4, "instance keys", sqlite: [], postgres: table.schema.postgres)

    private static let table = Table<InstanceKey>(
        "sec_instance_keys", keys: ["name"], blank: InstanceKey(name: "", value: ""),
        columns: [Column("name", \.name), Column("value", \.value)])

    static func find(_ name: String, _ transaction: any ReadTransaction) throws -> String? {
        try table.find(name, in: transaction)?.value
    }

    static func put(_ key: InstanceKey, _ transaction: any WriteTransaction) throws {
        try table.put(key, in: transaction)
    }
}

/// What authenticates engine tokens and sessions: a file of the data directory, or, where processes share a database, a row
/// of it, so that an engine is known to all of them. Tokens are random, 256 bits each, so the key gives none away.
enum TokenKey {
    private static let name = "token_key"
    private static let bytes = 32

    /// Made where there is none.
    static func text(_ database: any Database, _ directory: String, _ entropy: any Entropy) throws -> String {
        guard database.backend.isShared else {
            return try DataDirectory.secret(path(directory), entropy) { Hex.text($0) }
        }
        return try database.writeAndWait { transaction in
            if let known = try InstanceKeyTable.find(name, transaction) { return known }
            let made = Hex.text(entropy.bytes(bytes))
            try InstanceKeyTable.put(InstanceKey(name: name, value: made), transaction)
            return made
        }
    }

    static func put(_ key: String, _ database: any Database, _ directory: String) throws {
        guard database.backend.isShared else {
            return try Files.writeAtomically(Array((key + "\n").utf8), to: path(directory), mode: 0o600)
        }
        try database.writeAndWait { try InstanceKeyTable.put(InstanceKey(name: name, value: key), $0) }
    }

    static let fileName = "token.key"

    private static func path(_ directory: String) -> String { "\(directory)/\(fileName)" }
}
