import DatabaseCore
import EventStore
import HTTP
import HTTPServer
import JSON
import Platform
import Shared
import Synchronization

/// Everything that matches, up to where the log ended when it was asked for, as one long answer.
///
/// Pages are read on the thread of ``Exports`` and never on the loop; one is read ahead while the client takes another,
/// so a slow client costs the memory of two pages and holds no transaction open.
final class ExportFeed: BodySource {
    enum Format: Sendable {
        /// One event a line, with all that its hashes are made of (RFC 8259 documents, each ended by a line feed).
        case lines
        /// One JSON array of CloudEvents.
        case cloudEvents
    }

    /// Events in one page …
    private static let pageEvents = 512
    /// … or as many as fill this.
    private static let pageBytes = 128 << 10

    /// Where the reading is.
    private struct Position: Sendable {
        var filter: EventFilter
        /// Events that may still come.
        var left: Int
        var writer = JSONWriter(reserving: pageBytes + 16_384)
        var hasBegun = false
        var isAtEnd = false
    }

    private struct State {
        var position: Position
        var page: [UInt8]?
        var isReading = false
        var hasFailed = false
        var isDetached = false
        var wake: (@Sendable () -> Void)?
    }

    private let format: Format
    private let exports: Exports
    private let state: Mutex<State>

    init(_ filter: EventFilter, limit: Int, _ format: Format, _ exports: Exports) {
        (self.format, self.exports) = (format, exports)
        state = Mutex(State(position: Position(filter: filter, left: limit)))
    }

    func attach(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    func detach() {
        let isIdle = state.withLock { state in
            (state.isDetached, state.wake, state.page) = (true, nil, nil)
            return !state.isReading
        }
        if isIdle { exports.leave() }
    }

    func next(atMost bytes: Int) -> BodyChunk {
        state.withLock { state in
            if state.hasFailed { return .abort }
            let page = state.page
            state.page = nil
            if !state.isReading, !state.position.isAtEnd {
                state.isReading = exports.queue.add { self.read() }
                // The api is stopping: the client must notice that this is not all.
                if !state.isReading { return .abort }
            }
            if let page { return .bytes(page) }
            return state.isReading ? .wait : .end
        }
    }

    // MARK: On the thread of the exports

    private func read() {
        // Nobody else touches the position while a page is read.
        var position = state.withLock { $0.position }
        var hasFailed = false
        do {
            try read(from: &position)
        } catch {
            exports.log.error("an export failed", ["error": .text("\(error)")])
            hasFailed = true
        }
        let page = position.writer.bytes
        position.writer.bytes.removeAll(keepingCapacity: false)
        let (wake, isDetached) = state.withLock { state in
            (state.position, state.isReading, state.hasFailed) = (position, false, hasFailed)
            state.page = page.isEmpty || state.isDetached ? nil : page
            return (state.wake, state.isDetached)
        }
        if isDetached { exports.leave() } else { wake?() }
    }

    private func read(from position: inout Position) throws {
        if !position.hasBegun, format == .cloudEvents { position.writer.beginArray() }
        position.hasBegun = true
        let wanted = min(Self.pageEvents, position.left)
        var (count, isFull) = (0, false)
        try exports.database.read { transaction in
            try EventQueries.each(position.filter, limit: wanted, in: transaction) { event in
                write(event, to: &position.writer)
                count += 1
                position.filter.afterGlobalSeq = event.envelope.globalSeq
                isFull = position.writer.bytes.count >= Self.pageBytes
                return !isFull
            }
        }
        position.left -= count
        position.isAtEnd = position.left == 0 || (count < wanted && !isFull)
        if position.isAtEnd, format == .cloudEvents { position.writer.endArray() }
    }

    private func write(_ event: StoredEvent, to writer: inout JSONWriter) {
        switch format {
        case .lines:
            event.write(.export, to: &writer)
            writer.endLine()
        case .cloudEvents: event.writeCloudEvent(to: &writer)
        }
    }
}

/// The exports under way. One thread reads for all of them, a page each in turn, so that however many there are, requests
/// have the loop and all readers of the database but one.
final class Exports: Sendable {
    /// At once; one more is told to come back.
    static let exportsMax = 4

    let database: any Database
    let log: Log
    let queue = JobQueue("api-exports", jobsMax: exportsMax)
    private let underWay = Mutex(0)

    init(database: any Database, log: Log) { (self.database, self.log) = (database, log) }

    func start() -> Thread { queue.start() }

    func stop() { queue.stop() }

    /// - Throws: 503 when there are too many already.
    func begin(_ filter: EventFilter, limit: Int, _ format: ExportFeed.Format) throws(Rejection) -> ExportFeed {
        let isTaken = underWay.withLock { count in
            guard count < Self.exportsMax else { return false }
            count += 1
            return true
        }
        guard isTaken else {
            throw Rejection(.overloaded, "\(Self.exportsMax) exports are under way already; try again")
        }
        return ExportFeed(filter, limit: limit, format, self)
    }

    /// A feed is no longer needed, and nothing is read for it.
    fileprivate func leave() { underWay.withLock { $0 -= 1 } }
}
