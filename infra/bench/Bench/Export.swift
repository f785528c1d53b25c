import API
import APIClient
import DatabaseCore
import EventStore
import HTTP
import HTTPClient
import JSON
import Platform
import Projectors
import Shared

/// Makes a long log without waiting for requests: what commands would record, in large transactions.
enum LogFilling {
    private static let batchEvents = 5_000

    /// - Parameter migrations: Fewer of them make a database of an earlier schema, for trying an upgrade.
    static func fill(_ directory: String, _ count: Int, _ migrations: [Migration] = Storage.migrations) throws {
        var environment = ["AOS_DATA_DIR": directory]
        environment["DATABASE_URL"] = Program.environment()["DATABASE_URL"]
        let configuration = try APIConfiguration.read(environment: environment)
        try Files.makeFolder(directory)
        let database = try Storage.open(configuration.storage, migrations: migrations) { Program.complain("\($0)") }
        let (entropy, clock) = (SystemEntropy(), SystemClock())
        let log = EventLog { entropy.bytes($0) }
        let text = String(repeating: "What an engine says about what it has done. ", count: 12)
        for start in stride(from: 0, to: count, by: batchEvents) {
            try database.writeAndWait { transaction in
                let now = Timestamp(milliseconds: clock.wallMilliseconds())
                for number in start..<min(start + batchEvents, count) {
                    let id = RunID("run_\(number / 10)")
                    let scope = EventScope(
                        workspaceID: .development, roomID: RoomID("room_\(number / 1_000)"), runID: id,
                        correlationID: "corr_\(number / 10)")
                    let event: RunEvent =
                        number % 10 == 0
                        ? .created(RunCreated(runID: id, title: "bench", goal: text))
                        : .completed(RunCompleted(runID: id, summary: "\(number) \(text)"))
                    let recorded = try log.append(
                        [EventDraft(.run(event), in: scope, by: Actor(.service, "bench"))], at: now, in: transaction)
                    if number % 10 == 0 { try ProjectorCatalogue.project(recorded, in: transaction) }
                }
            }
        }
        database.close()
    }
}

/// Takes one export of everything as NDJSON, and samples what memory the api holds meanwhile.
struct ExportBench {
    let port: UInt16
    let token: String
    let pid: Int
    private let clock = SystemClock()

    private static let sampleBytes = 8 << 20

    func run() throws {
        let client = APIClient(
            transport: SocketTransport(host: "127.0.0.1", port: port), credential: .bearer(token), workspace: nil)
        let idle = memory("VmRSS")
        var (bytes, lines, peak, sampledAt) = (0, 0, idle, 0)
        let request = client.request(
            .get, "/v1/events", fields: [.accept: "application/x-ndjson"], deadlineMilliseconds: 600_000)
        let begun = clock.monotonicMilliseconds()
        try client.transport.stream(request) { head in
            guard head.status == .ok else { throw Refused(status: head.status) }
        } onBytes: { piece in
            bytes += piece.count
            lines += piece.count { $0 == UInt8(ascii: "\n") }
            if bytes - sampledAt >= Self.sampleBytes {
                sampledAt = bytes
                peak = max(peak, memory("VmRSS"))
            }
            return true
        }
        let milliseconds = clock.monotonicMilliseconds() - begun
        let facts: JSONObject = [
            "events": .integer(Int64(lines)), "megabytes": .integer(Int64(bytes >> 20)),
            "milliseconds": .integer(milliseconds),
            "events_per_second": .integer(Int64(lines) * 1000 / max(1, milliseconds)),
            "idle_mib": JSONValue(number: Double(idle) / 1024), "peak_mib": JSONValue(number: Double(peak) / 1024),
            "high_water_mib": JSONValue(number: Double(memory("VmHWM")) / 1024),
            "above_idle_mib": JSONValue(number: Double(peak - idle) / 1024),
        ]
        print(String(decoding: JSON.write(.object(facts)), as: UTF8.self))
    }

    private struct Refused: Error { var status: HTTPStatus }

    /// Kibibytes, as the kernel counts them.
    private func memory(_ name: String) -> Int {
        let status = (try? Files.read("/proc/\(pid)/status", bytesMax: 1 << 16)) ?? []
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("\(name):") }
        return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }
}
