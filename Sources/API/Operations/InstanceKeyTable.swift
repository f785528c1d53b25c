import DatabaseCore
import EventStore
import Projectors

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

    /// The key of that name, made by whoever comes first.
    static func key(
        _ name: String, _ transaction: any WriteTransaction, make: () -> String
    ) throws -> String {
        if let known = try table.find(name, in: transaction) { return known.value }
        let made = InstanceKey(name: name, value: make())
        try table.put(made, in: transaction)
        return made.value
    }
}
