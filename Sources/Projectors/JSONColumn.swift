package import DatabaseCore
import EventStore
import JSON

extension Column {
    /// A column that holds any codable member as canonical JSON.
    package init<Value: Codable & Sendable & SendableMetatype>(
        json name: String, _ member: any WritableKeyPath<Record, Value> & Sendable
    ) {
        self.init(name, .json, isNullable: false) { record in
            // What we hold came out of JSON or goes into an answer as JSON: it can be written.
            .utf8(try! JSON.canonical(encoding: record[keyPath: member]))
        } set: { record, value in
            record[keyPath: member] = try JSON.decode(Value.self, from: [UInt8](sqlValue: value), limits: .stored)
        }
    }

    /// The same for a member that may be nil.
    package init<Value: Codable & Sendable & SendableMetatype>(
        json name: String, optional member: any WritableKeyPath<Record, Value?> & Sendable
    ) {
        self.init(name, .json, isNullable: true) { record in
            guard let value = record[keyPath: member] else { return .null }
            return .utf8(try! JSON.canonical(encoding: value))
        } set: { record, value in
            record[keyPath: member] =
                value == .null ? nil : try JSON.decode(Value.self, from: [UInt8](sqlValue: value), limits: .stored)
        }
    }
}
