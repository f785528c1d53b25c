import APIClient
import HTTP
package import JSON
package import Shared

/// A question to the api: which endpoint, about what, with which filters.
package struct Reading<Answer: Decodable>: Sendable {
    package var endpoint: Endpoint<Nothing, Answer>
    package var parameters: [String: String]
    package var query: [(String, String)]

    package init(
        _ endpoint: Endpoint<Nothing, Answer>, _ parameters: [String: String] = [:], query: [(String, String)] = []
    ) {
        (self.endpoint, self.parameters, self.query) = (endpoint, parameters, query)
    }
}

extension Session {
    /// What `--json` asks for: the api's own answer, or the named members of it.
    package func printAnswer<Answer: Decodable>(
        _ invocation: Invocation, _ reading: Reading<Answer>, milliseconds: Int = APIClient.deadlineMillisecondsDefault
    ) throws {
        let names = invocation.names(.json)
        guard !names.isEmpty else {
            return printJSON(
                try bytes(reading.endpoint, reading.parameters, query: reading.query, milliseconds: milliseconds))
        }
        let selection = try FieldSelection(names, of: Answer.self)
        let answer = try bytes(
            reading.endpoint, reading.parameters, query: reading.query, milliseconds: milliseconds)
        printJSON(selection.pick(from: try JSON.parse(answer, limits: Self.answerLimits)))
    }

    /// The same for a list: named members are those of up to `limit` rows, over as many pages as that takes.
    package func printAnswer<Answer: PagedAnswer & Decodable>(
        _ invocation: Invocation, _ reading: Reading<Answer>, limit: Int
    ) throws {
        var reading = reading
        reading.query.append(("limit", String(min(limit, Self.pageMax))))
        let names = invocation.names(.json)
        guard !names.isEmpty else { return try printAnswer(invocation, reading) }
        let selection = try FieldSelection(names, of: Answer.self)
        var (rows, cursor): ([JSONValue], String?) = ([], nil)
        repeat {
            let query = reading.query + (cursor.map { [("cursor", $0)] } ?? [])
            let answer = try JSON.parse(
                bytes(reading.endpoint, reading.parameters, query: query), limits: Self.answerLimits)
            rows += selection.pick(from: answer).arrayValue ?? []
            cursor = answer["next_cursor"]?.stringValue
        } while cursor != nil && rows.count < limit
        printJSON(.array(Array(rows.prefix(limit))))
    }

    /// What `--json` asks for of a value that is no answer of the api as it stands.
    package func printJSON<Answer: Decodable>(_ invocation: Invocation, _ value: JSONValue, as type: Answer.Type) throws
    {
        let names = invocation.names(.json)
        printJSON(names.isEmpty ? value : try FieldSelection(names, of: type).pick(from: value))
    }

    /// The answer to a change.
    package func printJSON<Answer: Codable>(_ invocation: Invocation, _ answer: Answer) throws {
        try printJSON(invocation, JSON.value(of: answer, nulls: .write), as: Answer.self)
    }

    /// Up to `limit` rows, over as many pages as that takes.
    package func rows<Answer: PagedAnswer & Decodable, Row>(
        _ reading: Reading<Answer>, limit: Int, _ rows: (Answer) -> [Row]
    ) throws -> [Row] {
        var (found, cursor): ([Row], String?) = ([], nil)
        repeat {
            let query =
                reading.query + [("limit", String(min(limit, Self.pageMax)))] + (cursor.map { [("cursor", $0)] } ?? [])
            let answer = try get(reading.endpoint, reading.parameters, query: query)
            found += rows(answer)
            cursor = answer.nextCursor
        } while cursor != nil && found.count < limit
        return Array(found.prefix(limit))
    }
}

extension Command {
    /// A list of one read model: rows as a table, or as JSON.
    static func list<Answer: PagedAnswer & Decodable & SendableMetatype, Row>(
        _ path: String, _ summary: String, details: String = "", aliases: [String] = [], arguments: [Argument] = [],
        options: [Option] = [], limit standard: Int = 50, examples: [Example], ifEmpty: String,
        columns: [Table.Column],
        reading: @escaping @Sendable (Invocation, Session) throws -> Reading<Answer>,
        rows: @escaping @Sendable (Answer) -> [Row],
        cells: @escaping @Sendable (Row, Session) -> [Table.Cell]
    ) -> Command {
        Command(
            path, summary, details: details, aliases: aliases, arguments: arguments,
            options: options + [.limit, .json], examples: examples
        ) { invocation, session in
            // A wrong name is told before ids are looked up.
            if invocation.has(.json) { _ = try FieldSelection(invocation.names(.json), of: Answer.self) }
            let reading = try reading(invocation, session)
            let limit = invocation.integer(.limit) ?? standard
            guard !invocation.has(.json) else {
                try session.printAnswer(invocation, reading, limit: limit)
                return .ok
            }
            let found = try session.rows(reading, limit: limit, rows)
            session.print(Table(columns, found.map { cells($0, session) }), ifEmpty: ifEmpty)
            return .ok
        }
    }

    /// One thing: what is known about it, or as JSON.
    static func view<Answer: Decodable & SendableMetatype>(
        _ path: String, _ summary: String, details: String = "", aliases: [String] = [], argument: Argument,
        options: [Option] = [], examples: [Example],
        reading: @escaping @Sendable (String, Session) throws -> Reading<Answer>,
        show: @escaping @Sendable (Answer, Session) throws -> Void
    ) -> Command {
        Command(
            path, summary, details: details, aliases: aliases, arguments: [argument], options: options + [.json],
            examples: examples
        ) { invocation, session in
            if invocation.has(.json) { _ = try FieldSelection(invocation.names(.json), of: Answer.self) }
            let reading = try reading(invocation[argument], session)
            guard !invocation.has(.json) else {
                try session.printAnswer(invocation, reading)
                return .ok
            }
            try show(try session.get(reading.endpoint, reading.parameters, query: reading.query), session)
            return .ok
        }
    }
}

extension Facts {
    /// Every member of a record that says something, by its name on the wire.
    package init(of record: some Encodable, _ session: Session, leavingOut hidden: Set<String> = []) throws {
        self.init()
        for (name, value) in try JSON.value(of: record).objectValue ?? [:] where !hidden.contains(name) {
            switch value {
            case .null, .object([:]), .array([]): continue
            case .string(let text):
                let time = name.hasSuffix("_at") ? Timestamp(text) : nil
                add(name, text, shown: time.map { "\(text)  \(Amounts.age($0, now: session.now))" })
            default: add(name, String(decoding: value.jsonBytes, as: UTF8.self))
            }
        }
    }
}
