/// Rows as a writer last read or wrote them. It is the only one that writes while it remembers them, so what it remembers is
/// what a look into the table would give; after a rollback, or when another process has written, it remembers nothing.
package final class RowCache {
    /// Rows in memory; more, and it begins anew.
    package static let rowsMax = 20_000

    private var tables: [String: [SQLValue: Any]] = [:]
    private var count = 0

    package init() {}

    func row<Record>(_ table: String, _ key: SQLValue) -> Record? { tables[table]?[key] as? Record }

    func keep(_ table: String, _ key: SQLValue, _ row: some Sendable) {
        if count >= Self.rowsMax { clear() }
        if tables[table, default: [:]].updateValue(row, forKey: key) == nil { count += 1 }
    }

    func forget(_ table: String, _ key: SQLValue) {
        if tables[table]?.removeValue(forKey: key) != nil { count -= 1 }
    }

    func forget(_ table: String) { count -= tables.removeValue(forKey: table)?.count ?? 0 }

    package func clear() { (tables, count) = ([:], 0) }
}
