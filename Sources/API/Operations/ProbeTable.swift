import DatabaseCore
import EventStore
import Projectors
import Shared

/// When somebody last tried whether the database can be written.
struct Probe: Sendable {
    var name = "health"
    var probedAt = Timestamp(milliseconds: 0)
}

/// `op_probes`: all the SQL that touches it is in this file.
enum ProbeTable {
    static let table = Table<Probe>(
        "op_probes", keys: ["name"], blank: Probe(),
        columns: [Column("name", \.name), Column("probed_at", \.probedAt)])

    static func put(_ probe: Probe, _ transaction: any WriteTransaction) throws {
        try table.put(probe, in: transaction)
    }
}
