package import APIClient
import HTTP
package import HTTPClient
package import JSON
package import Platform
package import Shared

/// What a command works with. Nothing is read or opened before it is asked for.
package final class Session {
    /// How long a walk over the whole log may take.
    package static let auditMilliseconds = 30 * 60_000
    /// The longest page the api gives.
    package static let pageMax = 200

    package let console: Console
    package let environment: [String: String]
    package let clock: any Clock
    package let runner: any ProcessRunner
    private let makeTransport: (String) throws(HTTPClientError) -> any HTTPTransport
    private var workspace: WorkspaceID?
    private var callMillisecondsMax: Int?
    private var cached: (Connection, APIClient)?

    package init(
        console: Console, environment: [String: String], clock: any Clock = SystemClock(),
        runner: any ProcessRunner = SystemProcesses(),
        transport: @escaping (String) throws(HTTPClientError) -> any HTTPTransport = {
            url throws(HTTPClientError) in try SocketTransport(url: url)
        }
    ) {
        (self.console, self.environment, self.clock, self.runner) = (console, environment, clock, runner)
        makeTransport = transport
    }

    package var now: Timestamp { Timestamp(milliseconds: clock.wallMilliseconds()) }

    /// No call takes longer than this from now on.
    package func limitCalls(milliseconds: Int) { callMillisecondsMax = milliseconds }

    private func deadline(_ milliseconds: Int) -> Int { min(milliseconds, callMillisecondsMax ?? milliseconds) }

    package func use(workspace: String?) { self.workspace = workspace.map { WorkspaceID($0) } }

    // MARK: The api

    package func connection() throws -> Connection { try connected().0 }
    package func client() throws -> APIClient { try connected().1 }

    private func connected() throws -> (Connection, APIClient) {
        if let cached { return cached }
        let connection = try Connection.read(environment)
        let made = (connection, try client(of: connection))
        cached = made
        return made
    }

    package func client(of connection: Connection) throws(Failure) -> APIClient {
        do throws(HTTPClientError) {
            return APIClient(
                transport: try makeTransport(connection.url), credential: .bearer(connection.token),
                workspace: workspace)
        } catch { throw Failure(.transport(error), connection) }
    }

    /// Calls the api; a refusal comes out as a ``Failure``.
    package func call<Body: Encodable, Answer: Decodable>(
        _ endpoint: Endpoint<Body, Answer>, _ body: Body, _ parameters: [String: String] = [:],
        milliseconds: Int = APIClient.deadlineMillisecondsDefault
    ) throws -> Answer {
        let (connection, client) = try connected()
        do throws(APIFailure) {
            return try client.call(endpoint, body, parameters, deadlineMilliseconds: deadline(milliseconds))
        } catch { throw Failure(error, connection) }
    }

    package func get<Answer: Decodable>(
        _ endpoint: Endpoint<Nothing, Answer>, _ parameters: [String: String] = [:], query: [(String, String)] = [],
        milliseconds: Int = APIClient.deadlineMillisecondsDefault
    ) throws -> Answer {
        let (connection, client) = try connected()
        do throws(APIFailure) {
            return try client.call(
                endpoint, Nothing(), parameters, query: query, deadlineMilliseconds: deadline(milliseconds))
        } catch { throw Failure(error, connection) }
    }

    /// The api's own bytes.
    package func bytes<Body, Answer>(
        _ endpoint: Endpoint<Body, Answer>, _ parameters: [String: String] = [:], query: [(String, String)] = [],
        milliseconds: Int = APIClient.deadlineMillisecondsDefault
    ) throws -> [UInt8] {
        let (connection, client) = try connected()
        var request = client.request(
            endpoint.method, endpoint.target(parameters, query: query), deadlineMilliseconds: deadline(milliseconds))
        if endpoint.method != .get {
            request.body = .bytes(Array("{}".utf8))
            request.fields.append(.contentType, "application/json")
        }
        do throws(APIFailure) { return try client.send(request).body } catch { throw Failure(error, connection) }
    }

    /// Whether an api answers at all; a refusal is an answer.
    package func isReachable() throws -> Bool {
        let (connection, client) = try connected()
        do throws(APIFailure) {
            _ = try client.call(.health, Nothing(), deadlineMilliseconds: 5_000)
            return true
        } catch {
            if case .transport(.unreachable) = error { return false }
            throw Failure(error, connection)
        }
    }

    // MARK: Answers

    /// Prints the api's answer as JSON.
    package func printJSON(_ bytes: [UInt8]) {
        guard console.output.isTerminal, let value = try? JSON.parse(bytes, limits: Self.answerLimits) else {
            console.write(bytes)
            if bytes.last != UInt8(ascii: "\n") { console.print() }
            return
        }
        console.print(CleanText.escapedJSON(JSON.pretty(value)))
    }

    package func printJSON(_ value: JSONValue) { printJSON(value.jsonBytes) }

    package func print(_ table: Table, ifEmpty: String) {
        let lines = table.lines(for: console.output)
        if lines.isEmpty, console.output.isTerminal { console.note(ifEmpty) }
        for line in lines { console.print(line) }
    }

    package func print(_ facts: Facts) {
        for line in facts.lines(for: console.output) { console.print(line) }
    }

    /// A word of advice, for people only: not where a script takes what is printed.
    package func advise(_ line: String) {
        if console.error.isTerminal, console.output.isTerminal { console.note(console.error.styled(line, .dim)) }
    }

    /// A time as a column: relative on a terminal.
    package func age(_ time: Timestamp?) -> Table.Cell {
        guard let time else { return Table.Cell("") }
        return Table.Cell(time.description, shown: Amounts.age(time, now: now), .dim)
    }

    static let answerLimits: JSONLimits = {
        var limits = JSONLimits()
        (limits.bytesMax, limits.valuesMax) = (APIClient.answerBytesMax, 5_000_000)
        return limits
    }()
}
